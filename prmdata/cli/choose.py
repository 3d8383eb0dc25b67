"""`prmdata choose`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting

if TYPE_CHECKING:
    from prmdata.dataset.choosing import By


def choose(
    source: o.Source,
    output: o.Output = "-",
    n: Annotated[
        int | None,
        typer.Option("--n", "-n", min=1, help="Problems to take.", rich_help_panel=o.SELECTION),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="RATE",
            help="Take the problems with pass rates nearest to this one, drawn from what their "
            "traces leave possible: problems seen little are tried too.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None,
    pairs: Annotated[
        bool,
        typer.Option(
            "--pairs",
            help="Take problems two by two: one rarely solved (at most .25) and one mostly solved "
            "(.75 or more) of the same topic; each names its partner in meta.partner.",
            rich_help_panel=o.SELECTION,
        ),
    ] = False,
    rollouts: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="M", help="Traces to keep per problem.", rich_help_panel=o.SELECTION
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="variance|information",
            help="Which traces: those whose outcomes vary most, or those that mix right and wrong "
            "steps most evenly and whose right steps are surest (needs estimate).",
            rich_help_panel=o.SELECTION,
        ),
    ] = "variance",
    discount: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="What a trace counts for, less than 1 where an older policy wrote it.",
            rich_help_panel=o.SELECTION,
        ),
    ] = 1.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed of the draw.", rich_help_panel=o.SELECTION)
    ] = 0,
    *,
    reporting: Reporting,
) -> None:
    """Choose problems by their pass rates, and traces by what they teach.

    $ prmdata choose traces.jsonl --target 0.5 --n 100 -o chosen.jsonl
    $ prmdata choose traces.jsonl --rollouts 4 -o chosen.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.errors import UsageError
    from prmdata.stages.choose import Choosing, run_choose

    if by not in ("variance", "information"):
        raise UsageError(f"--by {by}: choose variance or information")
    way: By = "information" if by == "information" else "variance"
    request = Choosing(source, n, target, pairs, rollouts, way, discount, seed)
    running.say_waiting("choose", source)
    running.run(
        "choose",
        request,
        output,
        run_choose,
        reporting,
    )
