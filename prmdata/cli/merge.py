"""`prmdata merge`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting


def merge(
    sources: Annotated[list[str], typer.Argument(help="Shards or other files, in any order.")],
    output: o.Output = "-",
    *,
    reporting: Reporting,
) -> None:
    """Join shards into one file, sorted by problem id.

    $ prmdata merge part-*.jsonl -o traces.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.stages.merge import Merging, run_merge

    request = Merging(tuple(sources))

    for source in sources:
        running.say_waiting("merge", source)
    running.run(
        "merge",
        request,
        output,
        run_merge,
        reporting,
    )
