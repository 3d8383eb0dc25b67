"""`import`: foreign rows → traces with ids, grades and tallies."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prmdata import imports
from prmdata.files import Unreadable
from prmdata.grading import Grader
from prmdata.problems import HEAD
from prmdata.records import AnswerRule, Trace
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.stages.generate import advice_on_unparsed
from prmdata.stages.groups import Group, GroupStage
from prmdata.stages.whole_groups import whole_groups
from prmdata.traces.generate import count, graded


@dataclass(frozen=True, slots=True)
class TakingIn:
    source: str
    layout: str | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the layout."""
    grader: str = "auto"
    answers: AnswerRule = "last"

    def settings(self) -> dict[str, object]:
        return {
            "from": self.layout,
            **{f"set {name}": value for name, value in self.chosen.items()},
            "grader": self.grader,
            "answers": self.answers,
        }

    def inputs(self) -> dict[str, str]:
        return states_of(self.source)


class ImportStage(GroupStage):
    name = "import"

    def __init__(self, request: TakingIn, grader: Grader) -> None:
        self.request, self.grader, self.spending = request, grader, Spending()

    def items(self) -> Iterator[Group]:
        request = self.request
        return whole_groups(
            self._warned(imports.read(request.source, request.layout, request.chosen))
        )

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        read = [read_by(self.request.answers, trace) for trace in traces]
        return await taken_in(read, self.grader)

    def check(self, summary: Summary) -> None:
        if advice := advice_on_unparsed(summary):
            summary.warnings.append(advice)

    def _warned(self, traces: Iterator[Trace | Unreadable]) -> Iterator[Trace | Unreadable]:
        """The same traces, with a warning where nothing tells how the first ones end."""
        head = list(itertools.islice(traces, HEAD))
        first = [trace for trace in head if isinstance(trace, Trace)]
        if first and all(t.problem.answer is None and t.correct is None for t in first):
            self.warn(
                f"none of the first {len(first):,} traces has a gold answer, so none can be "
                "graded; name the column of the answers with --fields answer=COLUMN"
            )
        yield from head
        yield from traces


async def run_import(request: TakingIn, output: Output, options: RunOptions) -> Summary:
    grader = Grader(request.grader)
    try:
        return await run_stage(ImportStage(request, grader), output, options)
    finally:
        await grader.close()


def read_by(rule: AnswerRule, trace: Trace) -> Trace:
    if trace.origin.answers == rule:
        return trace
    return replace(trace, origin=replace(trace.origin, answers=rule))


async def taken_in(group: list[Trace], grader: Grader) -> list[Trace]:
    made = [
        await graded(trace, grader)
        if trace.correct is None and trace.problem.answer is not None
        else trace
        for trace in group
    ]
    tally = count(made)
    return [replace(trace, group=tally, finish="stop") for trace in made]
