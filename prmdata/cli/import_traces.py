"""`prmdata import`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def import_(
    source: o.Source = "-",
    output: o.Output = "-",
    layout: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--from",
            help="processbench, prm800k, math-shepherd, openr-tree, openr-flat, chat or columns; "
            "told from the first row where it is not said.",
        ),
    ] = None,
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Columns by name: question=COLUMN,response=COLUMN,answer=COLUMN."),
    ] = None,
    steps: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="How plain responses are cut: auto, lines, paragraphs, sentences, …"),
    ] = None,
    answers: o.Answers = "last",
    settings: o.Settings = None,
    grader: o.Grader = "auto",
    max_errors: o.MaxErrors = "1%",
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Take in process data and traces that already exist."""
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.grading import answer_rule
    from prmdata.imports import IMPORTS, layout_for
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.import_traces import TakingIn, run_import

    chosen: dict[str, object] = {**pairs(settings or (), "--set")}
    if steps is not None:
        chosen["steps"] = steps
    if fields:
        chosen["fields"] = pairs(fields, "--fields")
        layout = layout or layout_for(pairs(fields, "--fields"))
    if layout is not None:
        make(IMPORTS, layout, chosen)
    asked = TakingIn(source, layout, chosen, grader, answer_rule(answers))
    run = running.run_options(64, max_errors, None, "none", quiet)
    into = running.open_output(
        output, "import", asked.said(), asked.inputs(), overwrite=overwrite, quiet=quiet
    )
    if into is not None:
        try:
            made = asyncio.run(run_import(asked, into, run))
        finally:
            into.close()
        running.close(made, output, summary, quiet)
