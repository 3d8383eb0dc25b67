"""`truth`: traces → traces that carry what is known for certain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prmdata.errors import ItemError
from prmdata.files import count_hint, read_traces
from prmdata.records import Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.stages.groups import Group, GroupStage, groups_of
from prmdata.truth import truth_of


@dataclass(frozen=True, slots=True)
class AddingTruth:
    source: str
    known_to: str
    """Who knows the truth; so far `abacus`."""
    shard: tuple[int, int] | None = None

    def settings(self) -> dict[str, object]:
        return {"from": self.known_to, "shard": self.shard}

    def inputs(self) -> dict[str, str]:
        return states_of(self.source)


class TruthStage(GroupStage):
    name = "truth"

    def __init__(self, request: AddingTruth) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.spending = request, Spending()
        self.total = count_hint(request.source)

    def items(self) -> Iterator[Group]:
        return groups_of(read_traces(self.request.source), self.request.shard)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        return [trace if trace.error else self._with_truth(trace) for trace in traces]

    def _with_truth(self, trace: Trace) -> Trace:
        truth = truth_of(trace, self.request.known_to)
        if truth is None:
            raise ItemError(f"{self.request.known_to} does not know the truth of trace {trace.id}")
        return trace.with_evidence(truth)


async def run_truth(request: AddingTruth, output: Output, options: RunOptions) -> Summary:
    return await run_stage(TruthStage(request), output, options)
