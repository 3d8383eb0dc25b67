"""`prmdata audit`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.terminal import print_line


class Only(StrEnum):
    all = "all"
    wrong = "wrong"
    right = "right"


def audit(
    source: Annotated[
        str,
        typer.Argument(
            help="Traces, labelled or not: a .jsonl[.gz|.zst] or .parquet file, or a directory of "
            "such files."
        ),
    ],
    count: Annotated[
        int,
        typer.Option(
            "-n",
            "--count",
            min=1,
            help="How many traces to judge, counting those judged in earlier runs.",
        ),
    ] = 50,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The truth file; each answer is appended at once. Default: SOURCE.truth.jsonl.",
        ),
    ] = None,
    only: Annotated[
        Only, typer.Option(help="Only traces whose final answer is wrong, or right.")
    ] = Only.all,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the draw.")] = 0,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Show the label too. Without it you judge blind, which is unbiased."
        ),
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Judge traces by hand, to measure labels on your own data.

    $ prmdata audit labelled.jsonl -n 50
    """
    from pathlib import Path
    from shlex import quote

    from prmdata.audit.asking import ask_all
    from prmdata.audit.ledger import Ledger, agreement, agreement_lines, default_output, draw
    from prmdata.errors import UsageError
    from prmdata.files import read_traces
    from prmdata.terminal import say

    if source == "-":
        raise UsageError("audit reads your answers from standard input; name a file of traces")
    path = output or default_output(source)
    if Path(path).exists() and Path(source).exists() and Path(path).samefile(source):
        raise UsageError(f"-o {path} holds the traces; write the answers to another file")
    ledger = Ledger(path)
    drawn = draw(read_traces(source), count, seed, only.value)
    if not drawn:
        raise UsageError(f"{source} holds no trace to judge (--only {only.value})")
    try:
        ask_all(drawn, ledger, labels=labels)
    finally:
        answered = sum(ledger.of(trace) is not None for trace in drawn)
        if not quiet:
            say(f"audit: {answered:,} of {len(drawn):,} answered → {path}")
    for line in agreement_lines(agreement(drawn, ledger)):
        print_line(line)
    if not quiet:
        labelled = any(trace.labels is not None for trace in drawn)
        scored = quote(source) if labelled else "LABELLED"
        say(f"More figures: prmdata score {scored} --truth {quote(path)}")
