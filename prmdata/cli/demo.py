"""`prmdata demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def demo(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where to write the results.")
    ] = "demo-output",
    problems: Annotated[
        int | None,
        typer.Option(min=1, help="Number of problems. Default: 200, or 12 with --agent."),
    ] = None,
    samples: Annotated[int, typer.Option("-n", min=1, help="Traces to sample per problem.")] = 8,
    agent: Annotated[
        bool,
        typer.Option(
            "--agent",
            help="Label an agent: a second small model that solves sums with a calculator and "
            "looks numbers up.",
        ),
    ] = False,
    seed: o.Seed = 0,
    overwrite: o.Overwrite = False,
) -> None:
    """Run the whole pipeline on the embedded model, or on the embedded agent.

    $ prmdata demo
    $ prmdata demo --agent -o agent-output
    """
    from prmdata.stages.demo import Show, run_demo

    show = Show.agent(problems or 12) if agent else Show.abacus(problems or 200)
    run_demo(show, output, samples, seed, overwrite=overwrite)
