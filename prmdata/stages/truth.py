"""`truth`: traces → traces that carry what is known for certain."""

from __future__ import annotations

from typing import Any

from prmdata.errors import ItemError
from prmdata.files import Unreadable, count_hint, read_groups, read_traces
from prmdata.records import Trace
from prmdata.report.truth import truth_of
from prmdata.run.engine import Job
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.stages.label import Group, failed_before


def inputs(source: str) -> dict[str, str]:
    return {source: input_state(source)}


async def run_truth(source: str, of: str, output: Output, options: RunOptions) -> dict[str, Any]:
    async def work(group: Group) -> list[Trace]:
        if isinstance(group, Unreadable):
            return [group.as_trace()]
        return [trace if trace.error else _with_truth(trace, of) for trace in group]

    def failed(group: Group, reason: str) -> list[Trace]:
        if isinstance(group, Unreadable):
            return [group.as_trace()]
        return [trace.failed(trace.error or reason) for trace in group]

    return await run_stage(
        "truth",
        Job(read_groups(read_traces(source)), work, failed, failed_before),
        lambda group: group,
        output,
        options,
        total=count_hint(source),
        size=lambda group: 1 if isinstance(group, Unreadable) else len(group),
    )


def _with_truth(trace: Trace, of: str) -> Trace:
    truth = truth_of(trace, of)
    if truth is None:
        raise ItemError(f"trace {trace.id}: its truth is not known to {of}")
    return trace.with_evidence(truth)
