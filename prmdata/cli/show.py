"""`prmdata show`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def show(
    source: o.Source = "-",
    id: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="This trace, or all traces of this problem."),
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Only traces with a wrong step.")] = False,
    random: Annotated[bool, typer.Option("--random", help="Any, rather than the first.")] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 1,
) -> None:
    """Show traces, their steps coloured by label and numbered from 1."""
    from rich.console import Console

    from prmdata.report.choose import choose
    from prmdata.report.show import render

    class Page(Console):
        def on_broken_pipe(self) -> None:  # rich would leave with exit code 1
            raise BrokenPipeError

    console = Page(soft_wrap=False)
    for trace in choose(source, id=id, wrong=wrong, random=random, count=count):
        console.print(render(trace))
