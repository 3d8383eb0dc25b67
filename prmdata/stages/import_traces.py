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
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.progress import say
from prmdata.run.stage import RunOptions
from prmdata.stages.groups import run_groups
from prmdata.stages.whole_groups import whole_groups
from prmdata.traces.generate import count, graded


@dataclass(frozen=True, slots=True)
class TakingIn:
    source: str
    layout: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    grader: str = "auto"
    answers: AnswerRule = "last"

    def said(self) -> dict[str, Any]:
        return {
            "from": self.layout,
            **{f"set {name}": value for name, value in self.settings.items()},
            "grader": self.grader,
            "answers": self.answers,
        }

    def inputs(self) -> dict[str, str]:
        return {self.source: input_state(self.source)}


async def run_import(asked: TakingIn, output: Output, options: RunOptions) -> dict[str, Any]:
    grader = Grader(asked.grader)

    async def work(group: list[Trace]) -> list[Trace]:
        return await taken_in([read_by(asked.answers, trace) for trace in group], grader)

    groups = whole_groups(
        _warned(imports.read(asked.source, asked.layout, asked.settings), quiet=options.quiet)
    )
    try:
        return await run_groups("import", groups, work, output, options)
    finally:
        await grader.close()


def _warned(traces: Iterator[Trace | Unreadable], *, quiet: bool) -> Iterator[Trace | Unreadable]:
    """The same traces; it is said beforehand where nothing tells how the first ones end."""
    head = list(itertools.islice(traces, HEAD))
    first = [trace for trace in head if isinstance(trace, Trace)]
    if first and not quiet and all(t.problem.answer is None and t.correct is None for t in first):
        say(
            f"import: none of the first {len(first):,} traces has a gold answer, so none can be "
            "graded; name the column of the answers with --fields answer=COLUMN"
        )
    yield from head
    yield from traces


def read_by(rule: AnswerRule, trace: Trace) -> Trace:
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
