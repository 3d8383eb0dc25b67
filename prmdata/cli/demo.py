"""`prmdata demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def demo(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where to write the results.")
    ] = "demo-output",
    problems: Annotated[int, typer.Option(min=1, help="Number of abacus problems.")] = 200,
    samples: Annotated[int, typer.Option("-n", min=1, help="Traces to sample per problem.")] = 8,
    seed: o.Seed = 0,
    overwrite: o.Overwrite = False,
) -> None:
    """Run the whole pipeline on the embedded model.

    $ prmdata demo
    """
    from prmdata.stages.demo import run_demo

    run_demo(output, problems, samples, seed, overwrite=overwrite)
