"""`prmdata grade`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def grade(
    source: Annotated[
        str,
        typer.Argument(
            help="Rows with a response and a gold answer, or traces: a .jsonl[.gz|.zst], .parquet "
            "or .csv file, a directory of such files, or - for standard input.",
        ),
    ] = "-",
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="Where to write JSON lines: a file, or - for standard output.",
            rich_help_panel=o.FILES,
        ),
    ] = "-",
    fields: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Which columns hold what: response=COLUMN,answer=COLUMN,question=COLUMN,"
            "kind=COLUMN.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="How answers are compared, where no column says it: math, choice, text or code.",
            rich_help_panel=o.METHOD,
        ),
    ] = "math",
    answers: o.Answers = "last",
    grader: o.Grader = "auto",
    summary: o.Summary = None,
    quiet: o.Quiet = False,
) -> None:
    """Grade answers: add the columns extracted, grade, correct and score.

    $ prmdata grade responses.jsonl --fields response=output,answer=gold -o graded.jsonl
    """
    import asyncio
    from collections import Counter

    from prmdata.cli.shared import closing, running
    from prmdata.grading import answer_rule
    from prmdata.settings import pairs
    from prmdata.stages.grade import Grading, told, write_graded
    from prmdata.terminal import say

    request = Grading(source, pairs(fields or (), "--fields"), kind, answer_rule(answers), grader)
    running.say_waiting("grade", source, "rows")
    counts: Counter[str] = Counter()
    asyncio.run(write_graded(request, output, counts))
    if summary is not None:
        closing.write_summary(dict(counts), summary)
    if not quiet:
        for line in told(counts):
            say(f"grade: {line}")
