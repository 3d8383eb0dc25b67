"""`prmdata stats`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def stats(
    source: o.Source = "-",
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Count traces, steps, evidence and labels.

    $ prmdata stats labelled.jsonl
    """
    from prmdata.cli.shared.figures import print_figures
    from prmdata.files import read_traces
    from prmdata.report import stats as counting

    print_figures(counting.stats(read_traces(source)), json)
