"""What a user types about tools → what a run asks of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prmdata.cli.shared.groups import Acting
    from prmdata.sampler.acting.opening import Surroundings


def surroundings(options: Acting) -> Surroundings:
    """Checked before anything starts."""
    from prmdata.durations import parse_seconds
    from prmdata.environments import environment
    from prmdata.errors import UsageError
    from prmdata.sampler.acting.opening import Surroundings
    from prmdata.settings import pairs

    settings = pairs(options.environment_arg or (), "--environment-arg")
    if options.environment is not None:
        environment(options.environment, settings)
    elif settings:
        raise UsageError("--environment-arg: name the environment too, with --environment")
    seconds = options.episode_time and parse_seconds(options.episode_time, "--episode-time")
    if seconds == 0:
        raise UsageError("--episode-time 0: a trace needs some time; leave it out for no limit")
    return Surroundings(
        options.environment, settings, options.turns, options.observation, seconds or None
    )
