"""`prmdata fit`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Model, Reporting, Spending


def fit(
    source: o.Source = "-",
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The JSON file to write.",
            rich_help_panel=o.FILES,
        ),
    ] = "policy.json",
    traces: Annotated[
        int,
        typer.Option(
            min=1, help="Traces with a wrong answer to learn from.", rich_help_panel=o.METHOD
        ),
    ] = 200,
    rollouts_per_step: Annotated[
        int,
        typer.Option(
            min=1, help="Rollouts after every step of each trace.", rich_help_panel=o.METHOD
        ),
    ] = 4,
    tokens_per_trace: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Also find the price at which a search takes this many tokens.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    *,
    model: Model,
    spending: Spending,
    quiet: o.Quiet = False,
) -> None:
    """Measure a policy on a pilot, for `label --method posterior --set policy=FILE`.

    $ prmdata fit pilot.jsonl --sampler http://localhost:8000/v1 -o policy.json
    """
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.sampler.rollouts import RolloutSettings
    from prmdata.settings import pairs
    from prmdata.stages.fit import Fitting, run_fit, write_policy
    from prmdata.terminal import say

    request = Fitting(
        source=source,
        traces=traces,
        rollouts_per_step=rollouts_per_step,
        tokens_per_trace=tokens_per_trace,
        sampler=model.sampler,
        engine=pairs(model.engine_arg or (), "--engine-arg"),
        grader=model.grader,
        rollouts=RolloutSettings(seed=model.seed),
    )
    running.say_waiting("fit", source)
    options = running.run_options(spending, Reporting(quiet=quiet), output)
    tell = (lambda line: None) if quiet else say
    write_policy(asyncio.run(run_fit(request, options, tell)), output)
