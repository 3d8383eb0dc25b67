"""`prmdata label`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import labelling
from prmdata.cli.shared import options as o


def label(
    source: o.Source = "-",
    output: o.Output = "-",
    method: Annotated[
        str,
        typer.Option(help="How the first wrong step is found; `prmdata methods` lists the ways."),
    ] = "posterior",
    settings: o.Settings = None,
    sampler: o.Sampler = "abacus",
    seed: o.Seed = 0,
    temperature: o.RolloutTemperature = None,
    max_tokens: o.RolloutTokens = None,
    cut: o.Cut = "miss",
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
    """Decide where each trace first goes wrong."""
    labelling.run(labelling.Words(verb="label", **locals()))
