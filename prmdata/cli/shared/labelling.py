"""The command that `estimate` and `label` are: they differ in the verb and its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import (
    Acting,
    Command,
    Forecast,
    Model,
    Reporting,
    RolloutFlags,
    Scale,
    Share,
    Spending,
)

if TYPE_CHECKING:
    from prmdata.labellers.contract import Method, Verb
    from prmdata.stages.label import Labelling


def labelling_command(verb: Verb, default: str, text: str) -> Command:
    """A command for the methods of one verb."""

    def command(
        source: o.Source = "-",
        output: o.Output = "-",
        method: Annotated[
            str,
            typer.Option(
                metavar="NAME",
                help="How it is done: `prmdata methods` lists the methods, `prmdata methods NAME` "
                "describes one with its settings.",
                rich_help_panel=o.METHOD,
            ),
        ] = default,
        settings: o.Settings = None,
        *,
        share: Share,
        model: Model,
        reference: o.Reference = None,
        rollouts: RolloutFlags,
        acting: Acting,
        forecast: Forecast,
        spending: Spending,
        scale: Scale,
        reporting: Reporting,
    ) -> None:
        from prmdata.cli.shared import running
        from prmdata.stages.label import run_labelling

        request = request_of(
            verb, source, method, settings, share, model, rollouts, acting, reference
        )
        if forecast.dry_run:
            say_forecast(request, forecast)
            return
        running.say_waiting(verb, source)
        if request.samples:
            running.refuse_engine_in_pipe(model.sampler, source, output)
        running.run(
            verb,
            request,
            output,
            run_labelling,
            reporting,
            spending,
            scale,
        )

    command.__name__, command.__doc__ = verb, text
    return command


def request_of(
    verb: Verb,
    source: str,
    method: str,
    settings: list[str] | None,
    share: Share,
    model: Model,
    rollouts: RolloutFlags,
    acting: Acting,
    reference: str | None = None,
) -> Labelling:
    from prmdata.cli.shared.acting import surroundings
    from prmdata.errors import UsageError
    from prmdata.sampler.rollouts import RolloutSettings
    from prmdata.settings import pairs
    from prmdata.stages.groups import parse_shard
    from prmdata.stages.label import Labelling
    from prmdata.traces.prompt import template_arguments

    if rollouts.cut not in ("miss", "drop"):
        raise UsageError(f"--cut {rollouts.cut}: choose miss or drop")
    return Labelling(
        verb=verb,
        name=method,
        method=_method(verb, method, pairs(settings or (), "--set")),
        source=source,
        limit=share.limit,
        shard=parse_shard(share.shard),
        sampler=model.sampler,
        reference=reference,
        engine=pairs(model.engine_arg or (), "--engine-arg"),
        grader=model.grader,
        rollouts=RolloutSettings(
            seed=model.seed,
            temperature=rollouts.temperature,
            top_p=rollouts.top_p,
            top_k=rollouts.top_k,
            max_tokens=rollouts.max_tokens,
            stop=tuple(rollouts.stop) if rollouts.stop else None,
            system=rollouts.system,
            template_args=template_arguments(rollouts.template_arg or ()),
            cut="drop" if rollouts.cut == "drop" else "miss",
        ),
        surroundings=surroundings(acting),
    )


def _method(verb: Verb, name: str, settings: dict[str, str]) -> Method:
    from prmdata import labellers
    from prmdata.corrections import CORRECTIONS
    from prmdata.registry import make

    if verb in CORRECTIONS:
        return make(CORRECTIONS, verb, settings)
    return labellers.method(name, verb, settings)


def say_forecast(request: Labelling, options: Forecast) -> None:
    from prmdata.cli.shared import running
    from prmdata.stages.label import forecast

    traces, cost = forecast(request)
    speed = options.tokens_per_second
    running.say_forecast(
        request.verb, traces, cost.rollouts, cost.tokens, speed, "about", cost.scored
    )
