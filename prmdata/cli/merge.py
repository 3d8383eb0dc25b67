"""`prmdata merge`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def merge(
    sources: Annotated[list[str], typer.Argument(help="Shards, or files in any order.")],
    output: o.Output = "-",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Join shards into one file, by problem id."""
    from prmdata.cli.shared import running
    from prmdata.run.manifest import input_state
    from prmdata.run.progress import say
    from prmdata.stages.merge import run_merge

    inputs = {source: input_state(source) for source in sources}
    into = running.open_output(output, "merge", {}, inputs, overwrite=overwrite, quiet=quiet)
    if into is None:
        return
    try:
        made = run_merge(sources, into)
    finally:
        into.close()
    if not quiet:
        told = f"merge: {made['traces']:,} traces of {made['problems']:,} problems"
        say(told + running.arrow(output))
