"""`prmdata export`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Optional

import typer

from prmdata.cli import options as o

SELECTION = "Selection"


def export(
    source: o.Source = "-",
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="A directory (Parquet shards and a card), .parquet, .jsonl[.gz|.zst], or -.",
        ),
    ] = "-",
    to: Annotated[
        str, typer.Option("--to", help="The format (`prmdata formats` lists them).")
    ] = "stepwise",
    settings: o.Settings = None,
    min_confidence: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Take only labels at least this sure.", rich_help_panel=SELECTION),
    ] = None,
    per_problem: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Take at most this many traces of a problem.", rich_help_panel=SELECTION),
    ] = None,
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="NAME=SHARE,…",
            help="Split by problem, like train=0.9,test=0.1.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    shuffle: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            metavar="SEED", help="Write the rows in random order.", rich_help_panel=SELECTION
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the counts and three rows; write nothing.")
    ] = False,
    max_errors: o.MaxErrors = "1%",
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Write labelled traces as a dataset."""
    from prmdata.cli import running
    from prmdata.dataset import format_named
    from prmdata.dataset.selection import Selection, parse_split
    from prmdata.run.engine import ErrorLimit
    from prmdata.run.progress import say
    from prmdata.settings import pairs
    from prmdata.stages.export import Exporting, preview, run_export

    selection = Selection(min_confidence, per_problem, parse_split(split) if split else (), shuffle)
    asked = Exporting(to, format_named(to, pairs(settings or (), "--set")), source, selection)
    limit = ErrorLimit.parse(max_errors)
    if dry_run:
        counts, rows = preview(asked, max_errors=limit)
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        say(f"export: {_told(counts)}; nothing was written")
        return
    made = run_export(asked, output, overwrite=overwrite, max_errors=limit)
    if made is None:
        if not quiet:
            say(f"export: {output} is up to date")
        return
    if summary is not None:
        running.write_summary(made, summary)
    if not quiet:
        say(f"export: {_told(made)}" + ("" if output == "-" else f" → {output}"))


def _told(counts: Mapping[str, Any]) -> str:
    return " · ".join(f"{n:,} {what}" for what, n in counts.items() if isinstance(n, int) and n)
