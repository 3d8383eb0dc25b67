"""`prmdata doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.terminal import print_line


def doctor(
    sampler: o.Sampler = None,
    store: o.Store = o.STORE,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check this machine: versions, devices, sandbox, servers, store, missing extras.

    $ prmdata doctor
    $ prmdata doctor --sampler http://localhost:8000/v1
    """
    import asyncio

    from prmdata.cli.shared.closing import as_json
    from prmdata.stages.doctor import examine

    findings = asyncio.run(examine(sampler, store))
    if json:
        print_line(as_json({finding.subject: finding.text for finding in findings}))
        return
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print_line(f"{finding.subject:<{width}}  {finding.text}")
