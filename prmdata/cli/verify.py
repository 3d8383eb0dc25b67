"""`prmdata verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def verify(
    source: o.Source = "-",
    output: o.Output = "-",
    tools: Annotated[
        str,
        typer.Option(
            "--with", help="Verifiers, separated by commas; `prmdata methods` lists them."
        ),
    ] = "arithmetic",
    settings: o.Settings = None,
    max_errors: o.MaxErrors = "1%",
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Check steps with tools and by execution, as evidence."""
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.errors import UsageError
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.verify import Verifying, run_verify
    from prmdata.verifiers import VERIFIERS

    names = [name.strip() for name in tools.split(",") if name.strip()]
    chosen = pairs(settings or (), "--set")
    if len(names) > 1 and chosen:
        raise UsageError("--set configures one verifier: run several, one after another")
    asked = Verifying(source, {name: make(VERIFIERS, name, chosen) for name in names})
    run = running.run_options(64, max_errors, None, "none", quiet)
    into = running.open_output(
        output, "verify", asked.settings(), asked.inputs(), overwrite=overwrite, quiet=quiet
    )
    if into is not None:
        try:
            made = asyncio.run(run_verify(asked, into, run))
        finally:
            into.close()
        running.close(made, output, summary, quiet)
