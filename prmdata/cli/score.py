"""`prmdata score`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def score(
    source: o.Source = "-",
    truth: Annotated[
        str,
        typer.Option(
            help="abacus: its exact oracle; evidence: the truth that traces carry; or a file of "
            "the same traces with their truth."
        ),
    ] = "evidence",
    plot: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Write the reliability diagram to this file: .png, .svg or .pdf."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Measure labels against the truth."""
    from prmdata.cli.shared.figures import print_figures
    from prmdata.files import read_traces
    from prmdata.report.score import total
    from prmdata.truth import truths

    if plot is not None:
        from prmdata.report.plot import check_plot, plot_reliability

        check_plot(plot)
    summed = total(read_traces(source), truths(truth))
    print_figures(summed.figures(), json)
    if plot is not None:
        plot_reliability(summed, plot)
