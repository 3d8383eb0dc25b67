"""`prmdata thoughts`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting


def thoughts(
    source: o.Source = "-",
    output: o.Output = "-",
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose verdicts or values say which steps are right. Default: the labels, else "
            "the last evidence there is.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Values above it are read as right.", rich_help_panel=o.METHOD
        ),
    ] = 0.5,
    penalty: Annotated[
        float,
        typer.Option(
            min=0,
            help="What a wrong thought costs, times the problem's pass rate: wrong turns on hard "
            "problems cost less.",
            rich_help_panel=o.METHOD,
        ),
    ] = 1.0,
    *,
    reporting: Reporting,
) -> None:
    """Join steps with the same verdict into thoughts, each with one reward.

    The text stays as it is. A reward for each thought and not for each step pays nobody for writing
    longer.

    $ prmdata thoughts labelled.jsonl -o thoughts.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.stages.thoughts import Thinking, run_thoughts

    request = Thinking(source, evidence, threshold, penalty)
    running.say_waiting("thoughts", source)
    running.run(
        "thoughts",
        request,
        output,
        run_thoughts,
        reporting,
    )
