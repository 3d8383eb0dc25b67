"""`prmdata demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def demo(
    output: Annotated[
        str, typer.Option("-o", "--output", help="A folder for what it makes.")
    ] = "demo-output",
    problems: Annotated[int, typer.Option(min=1, help="How many abacus problems.")] = 200,
    samples: Annotated[int, typer.Option("-n", min=1, help="Traces a problem.")] = 8,
    seed: o.Seed = 0,
) -> None:
    """Run the whole pipe on the embedded model."""
    from prmdata.stages.demo import run_demo

    run_demo(output, problems, samples, seed)
