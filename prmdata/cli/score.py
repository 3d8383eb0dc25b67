"""`prmdata score`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def score(
    source: o.Source = "-",
    truth: Annotated[
        str,
        typer.Option(
            metavar="abacus|evidence|FILE",
            help="Where the truth is: abacus, the exact oracle of the embedded problems; evidence, "
            "the truth that the traces carry; or a file of the same traces with their truth.",
            rich_help_panel=o.FILES,
        ),
    ] = "evidence",
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a reliability diagram: .png, .svg or .pdf.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure labels against the truth.

    $ prmdata score labelled.jsonl --truth abacus
    """
    from prmdata.cli.shared import running
    from prmdata.cli.shared.figures import print_figures
    from prmdata.files import read_traces
    from prmdata.report.score import total
    from prmdata.truth import truths

    if plot is not None:
        from prmdata.report.plot import check_plot, plot_reliability

        check_plot(plot)
    running.say_waiting("score", source)
    summed = total(read_traces(source), truths(truth))
    print_figures(summed.figures(), json)
    if plot is not None:
        plot_reliability(summed, plot)
