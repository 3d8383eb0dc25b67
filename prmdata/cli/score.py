"""`prmdata score`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli import options as o


def score(
    source: o.Source = "-",
    truth: Annotated[
        str,
        typer.Option(help="abacus: its exact oracle; evidence: the truth that traces carry."),
    ] = "evidence",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Measure labels against the truth."""
    from prmdata.cli.figures import print_figures
    from prmdata.files import read_traces
    from prmdata.report.score import score as scoring
    from prmdata.report.truth import truth_of

    print_figures(scoring(read_traces(source), lambda trace: truth_of(trace, truth)), json)
