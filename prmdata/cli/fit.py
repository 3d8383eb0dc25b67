"""`prmdata fit`."""

from __future__ import annotations

from collections.abc import Callable
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
            min=0,
            help="Rollouts after every step of each trace; 0: learn from --truth alone.",
            rich_help_panel=o.METHOD,
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
    weaver: Annotated[
        bool,
        typer.Option(
            "--weaver",
            help="Measure judges instead, for `label --method weaver --set table=FILE`: how often "
            "each calls right and wrong steps wrong, estimated from where they agree.",
            rich_help_panel=o.METHOD,
        ),
    ] = False,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="First errors that are known: abacus, evidence, or a FILE such as `prmdata audit` "
            "writes. They tell what the numbers of other evidence are worth, and how far the step "
            "that reads wrong stands from the step where rollouts cease to succeed: how sure a "
            "label may be. With --weaver they hold the estimate in place.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    *,
    model: Model,
    spending: Spending,
    quiet: o.Quiet = False,
) -> None:
    """Measure a policy on a pilot, or judges on what they judged.

    The first is for `label --method posterior --set policy=FILE`, the second (--weaver) for
    `label --method weaver --set table=FILE`.

    $ prmdata fit pilot.jsonl --sampler http://localhost:8000/v1 -o policy.json
    $ prmdata fit pilot.jsonl --truth pilot.truth.jsonl -o policy.json
    $ prmdata fit read.jsonl --truth evidence --rollouts-per-step 0 -o policy.json
    $ prmdata fit judged.jsonl --weaver --truth audit.jsonl -o table.json
    """
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.errors import UsageError
    from prmdata.sampler.rollouts import RolloutSettings
    from prmdata.settings import pairs
    from prmdata.stages.fit import Fitting, run_fit, write_policy
    from prmdata.terminal import say

    tell = (lambda line: None) if quiet else say
    if weaver:
        _fit_judges(source, truth, output, tell)
        return
    request = Fitting(
        source=source,
        traces=traces,
        rollouts_per_step=rollouts_per_step,
        tokens_per_trace=tokens_per_trace,
        sampler=model.sampler,
        engine=pairs(model.engine_arg or (), "--engine-arg"),
        grader=model.grader,
        rollouts=RolloutSettings(seed=model.seed),
        truth=truth,
    )
    if not rollouts_per_step and truth is None:
        raise UsageError("--rollouts-per-step 0 learns from --truth alone; name it")
    running.say_waiting("fit", source)
    options = running.run_options(spending, Reporting(quiet=quiet), output)
    write_policy(asyncio.run(run_fit(request, options, tell)), output)


def _fit_judges(source: str, truth: str | None, output: str, tell: Callable[[str], None]) -> None:
    from prmdata.labellers.fusion.learning import lines, write_panel
    from prmdata.stages.panel import fitted_panel

    panel = fitted_panel(source, truth)
    for line in lines(panel):
        tell(f"fit: {line}")
    write_panel(panel, output)
