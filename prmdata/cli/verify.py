"""`prmdata verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting, Scale


def verify(
    source: o.Source = "-",
    output: o.Output = "-",
    tools: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="NAME,…",
            help="One or more verifiers; `prmdata methods` lists them.",
            rich_help_panel=o.METHOD,
        ),
    ] = "arithmetic",
    settings: o.Settings = None,
    shard: o.Shard = None,
    *,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Check steps with tools and by running code; add the verdicts as evidence.

    $ prmdata verify traces.jsonl --with arithmetic,algebra -o verified.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.errors import UsageError
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.groups import parse_shard
    from prmdata.stages.verify import Verifying, run_verify
    from prmdata.verifiers import VERIFIERS

    names = [name.strip() for name in tools.split(",") if name.strip()]
    chosen = pairs(settings or (), "--set")
    if len(names) > 1 and chosen:
        raise UsageError("--set configures one verifier: run several, one after another")
    request = Verifying(
        source, {name: make(VERIFIERS, name, chosen) for name in names}, shard=parse_shard(shard)
    )
    running.say_waiting("verify", source)
    running.run(
        "verify",
        request,
        output,
        run_verify,
        reporting,
        scale=scale,
    )
