"""`prmdata fit`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def fit(
    source: o.Source = "-",
    output: Annotated[
        str, typer.Option("--output", "-o", help="The file that is written, as JSON.")
    ] = "world.json",
    traces: Annotated[
        int, typer.Option(min=1, help="Traces with a wrong answer to learn from.")
    ] = 200,
    rollouts_per_step: Annotated[
        int, typer.Option(min=1, help="Rollouts after every step of each of them.")
    ] = 4,
    tokens_per_trace: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Also find the price at which a search takes so many tokens."),
    ] = None,
    sampler: o.Sampler = "abacus",
    seed: o.Seed = 0,
    engine_arg: o.EngineArg = None,
    grader: o.Grader = "auto",
    concurrency: o.Concurrency = 256,
    max_tokens_total: o.MaxTokensTotal = None,
    store: o.Store = o.STORE,
    quiet: o.Quiet = False,
) -> None:
    """Measure a policy on a pilot, for `label --method posterior --set world=FILE`."""
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.run.progress import say
    from prmdata.sampler.rollouts import RolloutSettings
    from prmdata.settings import pairs
    from prmdata.stages.fit import Fitting, run_fit, write_world

    asked = Fitting(
        source=source,
        traces=traces,
        rollouts_per_step=rollouts_per_step,
        tokens_per_trace=tokens_per_trace,
        sampler=sampler,
        engine=pairs(engine_arg or (), "--engine-arg"),
        grader=grader,
        rollouts=RolloutSettings(seed=seed),
    )
    run = running.run_options(concurrency, "1%", max_tokens_total, store, quiet)
    tell = (lambda line: None) if quiet else say
    write_world(asyncio.run(run_fit(asked, run, tell)), output)
