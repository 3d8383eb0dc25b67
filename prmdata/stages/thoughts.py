"""`thoughts`: traces → the same traces in thoughts, with one reward for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prmdata.credit.contract import pass_rate
from prmdata.files import count_hint, read_groups, read_traces
from prmdata.labellers.evidence.step_verdicts import Rights, rights
from prmdata.records import Evidence, Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.settings import Share
from prmdata.stages.groups import Group, GroupStage
from prmdata.traces.thoughts import joined, runs

NAME = "thoughts"


@dataclass(frozen=True, slots=True)
class Thinking:
    source: str
    evidence: str | None = None
    """Whose verdicts or values are read; `None`: the labels', else the last there are."""
    threshold: Share = 0.5
    """Values above it are right."""
    penalty: float = 1.0
    """A wrong thought earns minus this times the pass rate."""

    def settings(self) -> dict[str, object]:
        return {
            "evidence": self.evidence,
            "threshold": self.threshold,
            "penalty": self.penalty,
        }

    def inputs(self) -> Mapping[str, str]:
        return states_of(self.source)


class ThoughtsStage(GroupStage):
    name = NAME

    def __init__(self, request: Thinking) -> None:
        self.request, self.spending = request, Spending()
        self.total = count_hint(request.source)
        self._before = self._silent = 0

    def items(self) -> Iterator[Group]:
        return read_groups(read_traces(self.request.source))

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        return [trace if trace.error else self._thought(trace) for trace in traces]

    def _thought(self, trace: Trace) -> Trace:
        known = rights(trace, self.request.evidence, self.request.threshold)
        self._before += len(trace.steps)
        if all(right is None for right in known):
            self._silent += 1
            return trace
        places = runs(known, trace.steps)
        made = joined(trace, places)
        return made.with_evidence(self._paid(trace, tuple(known[start] for start, _ in places)))

    def _paid(self, trace: Trace, known: Rights) -> Evidence:
        """1 for a right thought; a wrong one costs less where the problem is hard."""
        rate = pass_rate(trace.group)
        wrong = None if rate is None else -self.request.penalty * rate
        rewards = tuple(None if right is None else 1.0 if right else wrong for right in known)
        return Evidence(NAME, "scores", rewards=rewards, settings=self.request.settings())

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        counts["thoughts"] += 0 if trace.error else len(trace.steps)

    def check(self, summary: Summary) -> None:
        summary.special["steps"] = self._before
        if self._silent:
            summary.warnings.append(
                f"{self._silent:,} traces keep their steps: nothing is known of any of them "
                "(label them first, or name evidence with --evidence)"
            )


async def run_thoughts(request: Thinking, output: Output, options: RunOptions) -> Summary:
    return await run_stage(ThoughtsStage(request), output, options)
