"""`import`: foreign rows → traces with ids, grades and tallies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prmdata import imports
from prmdata.files import Unreadable
from prmdata.grading import Grader
from prmdata.problems.contract import stable_id
from prmdata.records import AnswerRule, Trace
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions
from prmdata.stages.groups import Group, run_groups
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

    groups = grouped(imports.read(asked.source, asked.layout, asked.settings))
    try:
        return await run_groups("import", groups, work, output, options)
    finally:
        await grader.close()


def grouped(traces: Iterable[Trace | Unreadable]) -> Iterator[Group]:
    """A problem's traces that follow one another. One that comes back later has a new id."""
    seen: dict[bytes, int] = {}
    group: list[Trace] = []
    for trace in traces:
        if isinstance(trace, Unreadable):
            yield trace
            continue
        if group and trace.problem.question != group[0].problem.question:
            yield named(group, seen)
            group = []
        group.append(trace)
    if group:
        yield named(group, seen)


def named(group: list[Trace], seen: dict[bytes, int]) -> list[Trace]:
    problem = group[0].problem
    name = problem.id or stable_id(problem.question, problem.answer)
    key = hashlib.blake2b(name.encode(), digest_size=8).digest()
    seen[key] = seen.get(key, 0) + 1
    if seen[key] > 1:
        name = f"{name}.{seen[key]}"
    problem = replace(problem, id=name)
    return [
        replace(trace, id=f"{name}/{number}", problem=problem) for number, trace in enumerate(group)
    ]


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
