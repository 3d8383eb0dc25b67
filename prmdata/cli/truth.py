"""`prmdata truth`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting, Scale


def truth(
    source: o.Source = "-",
    output: o.Output = "-",
    known_to: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME",
            help="Who knows the truth. abacus: the exact oracle of the embedded problems.",
            rich_help_panel=o.METHOD,
        ),
    ] = "abacus",
    shard: o.Shard = None,
    *,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Add the exact truth as evidence, which only `score` reads.

    $ prmdata truth traces.jsonl -o known.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.stages.groups import parse_shard
    from prmdata.stages.truth import AddingTruth, run_truth

    request = AddingTruth(source, known_to, shard=parse_shard(shard))
    running.say_waiting("truth", source)
    running.run(
        "truth",
        request,
        output,
        run_truth,
        reporting,
        scale=scale,
    )
