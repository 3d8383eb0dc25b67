"""`prmdata export`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli import options as o


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
    max_errors: o.MaxErrors = "1%",
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Write labelled traces as a dataset."""
    from prmdata.cli import running
    from prmdata.dataset import format_named
    from prmdata.run.engine import ErrorLimit
    from prmdata.run.progress import say
    from prmdata.settings import pairs
    from prmdata.stages.export import Exporting, run_export

    asked = Exporting(to, format_named(to, pairs(settings or (), "--set")), source)
    made = run_export(asked, output, overwrite=overwrite, max_errors=ErrorLimit.parse(max_errors))
    if made is None:
        if not quiet:
            say(f"export: {output} is up to date")
        return
    if summary is not None:
        running.write_summary(made, summary)
    if not quiet:
        counts = [f"{n:,} {what}" for what, n in made.items() if isinstance(n, int) and n]
        say(f"export: {' · '.join(counts)}" + ("" if output == "-" else f" → {output}"))
