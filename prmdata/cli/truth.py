"""`prmdata truth`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def truth(
    source: o.Source = "-",
    output: o.Output = "-",
    of: Annotated[str, typer.Option("--from", help="abacus: its exact oracle.")] = "abacus",
    max_errors: o.MaxErrors = "1%",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Add exact truth, as evidence for `score` alone."""
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.stages.truth import inputs, run_truth

    run = running.run_options(64, max_errors, None, "none", quiet)
    into = running.open_output(
        output, "truth", {"from": of}, inputs(source), overwrite=overwrite, quiet=quiet
    )
    if into is not None:
        try:
            made = asyncio.run(run_truth(source, of, into, run))
        finally:
            into.close()
        running.close(made, output, None, quiet)
