"""`prmdata mutate`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting, Scale


def mutate(
    source: o.Source = "-",
    output: o.Output = "-",
    mutations: Annotated[
        int,
        typer.Option(
            min=0, help="Mutated lines to write per line of a program.", rich_help_panel=o.METHOD
        ),
    ] = 3,
    refactorings: Annotated[
        int,
        typer.Option(
            min=0, help="Refactored lines to write per line of a program.", rich_help_panel=o.METHOD
        ),
    ] = 2,
    lines: Annotated[
        int,
        typer.Option(
            min=1,
            help="Lines to rewrite in one program at most; in a longer one, a random choice.",
            rich_help_panel=o.METHOD,
        ),
    ] = 100,
    deadline: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="Time for all tests on one program. A line that takes longer is left out.",
            rich_help_panel=o.METHOD,
        ),
    ] = "2s",
    seed: Annotated[
        int,
        typer.Option(min=0, help="Random seed of the choice of lines.", rich_help_panel=o.METHOD),
    ] = 0,
    level: Annotated[
        str,
        typer.Option(
            "--sandbox",
            metavar="LEVEL",
            help="Level of the sandbox; auto: the strongest that holds here.",
            rich_help_panel=o.METHOD,
        ),
    ] = "auto",
    shard: o.Shard = None,
    *,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Rewrite single lines of programs that pass; label them by running the tests.

    Each output trace ends in a line that was mutated or refactored. Where the tests fail with it,
    it is the first error; where they still pass, it is a right line.

    $ prmdata mutate passing.jsonl -o lines.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.durations import parse_seconds
    from prmdata.errors import UsageError
    from prmdata.stages.groups import parse_shard
    from prmdata.stages.mutate import Mutating, run_mutate
    from prmdata.verifiers.code.variants import VariantSettings

    if mutations + refactorings == 0:
        raise UsageError(
            "--mutations 0 --refactorings 0 writes no line; make one of them 1 or more"
        )
    deadline_s = parse_seconds(deadline, "--deadline")
    how = VariantSettings(mutations, refactorings, lines, deadline_s, seed)
    request = Mutating(source, how, level, shard=parse_shard(shard))
    running.say_waiting("mutate", source)
    running.run(
        "mutate",
        request,
        output,
        run_mutate,
        reporting,
        scale=scale,
    )
