"""`prmdata estimate`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli import labelling
from prmdata.cli import options as o


def estimate(
    source: o.Source = "-",
    output: o.Output = "-",
    method: Annotated[
        str,
        typer.Option(help="How values are found; `prmdata methods` lists the ways."),
    ] = "mc",
    settings: o.Settings = None,
    sampler: o.Sampler = "abacus",
    seed: o.Seed = 0,
    temperature: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Of rollouts; default: the trace's own.", rich_help_panel=o.SAMPLING),
    ] = None,
    max_tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            min=1,
            help="Tokens a rollout may take; default: the trace's own.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = None,
    cut: Annotated[
        str,
        typer.Option(
            help="Rollouts cut by the token limit: count as a miss, or drop them.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = "miss",
    limit: o.Limit = None,
    shard: o.Shard = None,
    engine_arg: o.EngineArg = None,
    grader: o.Grader = "auto",
    dry_run: o.DryRun = False,
    tokens_per_second: o.TokensPerSecond = None,
    concurrency: o.Concurrency = 256,
    max_errors: o.MaxErrors = "1%",
    give_up: o.GiveUp = "10m",
    max_tokens_total: o.MaxTokensTotal = None,
    store: o.Store = o.STORE,
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Add a value for every step, as evidence."""
    labelling.run(labelling.Words(verb="estimate", **locals()))
