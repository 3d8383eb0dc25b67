"""`prmdata show`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def show(
    source: o.Source = "-",
    id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only this trace, or the traces of this problem."),
    ] = None,
    wrong: Annotated[
        bool,
        typer.Option(
            "--wrong",
            help="Only traces with a wrong step; without labels, those that end wrong.",
        ),
    ] = False,
    random: Annotated[
        bool, typer.Option("--random", help="Choose at random instead of taking the first.")
    ] = False,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, help="Number of traces to show.")
    ] = 1,
) -> None:
    """Show traces with their steps, coloured by label and numbered from 1.

    $ prmdata show labelled.jsonl --wrong --random -n 3
    """
    from prmdata.cli.shared import running
    from prmdata.report.choose import choose
    from prmdata.report.show import render
    from prmdata.terminal import console

    page = console(soft_wrap=False)
    running.say_waiting("show", source)
    for trace in choose(source, id=id, wrong=wrong, random=random, count=count):
        page.print(render(trace))
