"""`truth`: traces → traces that carry what is known for certain."""

from __future__ import annotations

from typing import Any

from prmdata.errors import ItemError
from prmdata.files import count_hint, read_groups, read_traces
from prmdata.records import Trace
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions
from prmdata.stages.groups import run_groups
from prmdata.truth import truth_of


def inputs(source: str) -> dict[str, str]:
    return {source: input_state(source)}


async def run_truth(source: str, of: str, output: Output, options: RunOptions) -> dict[str, Any]:
    async def work(group: list[Trace]) -> list[Trace]:
        return [trace if trace.error else _with_truth(trace, of) for trace in group]

    groups = read_groups(read_traces(source))
    return await run_groups("truth", groups, work, output, options, total=count_hint(source))


def _with_truth(trace: Trace, of: str) -> Trace:
    truth = truth_of(trace, of)
    if truth is None:
        raise ItemError(f"trace {trace.id}: its truth is not known to {of}")
    return trace.with_evidence(truth)
