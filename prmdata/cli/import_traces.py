"""`prmdata import`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting


def import_(
    source: o.Source = "-",
    output: o.Output = "-",
    layout: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NAME",
            help="The file's layout; `prmdata sources` lists them. Default: recognised by the "
            "first row.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Which columns hold what: question=COLUMN,response=COLUMN,answer=COLUMN.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="Where the steps of plain responses end: auto, lines, paragraphs, numbered, "
            "sentences or regex:PATTERN.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    traces: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="For judgements: the file with the messages of the traces that were judged.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    answers: o.Answers = "last",
    settings: o.Settings = None,
    grader: o.Grader = "auto",
    *,
    reporting: Reporting,
) -> None:
    """Import process data and traces that already exist.

    $ prmdata import prm800k.jsonl -o traces.jsonl
    $ prmdata import judgements.jsonl --from judgements -o judged.jsonl
    $ prmdata import chats.jsonl --fields question=prompt,response=output -o traces.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.grading import answer_rule
    from prmdata.imports import IMPORTS, layout_for
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.import_traces import TakingIn, run_import

    chosen: dict[str, object] = {**pairs(settings or (), "--set")}
    if steps is not None:
        chosen["steps"] = steps
    if traces is not None:
        chosen["traces_file"] = traces
        layout = layout or "judgements"
    if fields:
        chosen["fields"] = pairs(fields, "--fields")
        layout = layout or layout_for(pairs(fields, "--fields"))
    if layout is not None:
        make(IMPORTS, layout, chosen)
    running.say_waiting("import", source, "rows")
    request = TakingIn(source, layout, chosen, grader, answer_rule(answers))
    running.run(
        "import",
        request,
        output,
        run_import,
        reporting,
    )
