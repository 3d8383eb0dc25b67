"""Criteria one by one, added up outside the judge (OpenRubrics, OpenRS).

A rubric is a file of yours (JSON lines: criterion, weight, and for what a program can check a
`pattern` that the text must match), or is written by the judge once for a problem. A hard rule
that fails by its pattern makes the trace wrong whatever else is true of it. Patterns are only
taken from a file: what a model writes is never run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from prmdata.errors import ItemError, UsageError
from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.guard.leanings import yes_or_no
from prmdata.judges.subgoals import named
from prmdata.records import Trace
from prmdata.settings import Amount, Count
from prmdata.tasks import together


class Criterion(msgspec.Struct, frozen=True):
    criterion: str
    weight: float = 1.0
    pattern: str | None = None
    """What the trace's text must match; then no judge is asked."""
    hard: bool = False
    """Whether the trace is wrong where this does not hold."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """Take it where answers are open, and what makes one good can be listed."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "criterion": ("question", "steps", "criterion"),
        "rubric": ("question",),
    }
    siblings: ClassVar[bool] = True

    rubric: str | None = None
    """A file of criteria, for all problems. Without it the judge writes some for each problem."""
    most: Count = 6
    """Most criteria that the judge writes."""
    sees: Sees = "nothing"
    """What the judge is shown when it writes criteria, such as `solution`."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 1024
    """Most tokens of one answer."""

    def __post_init__(self) -> None:
        if self.rubric is not None:
            criteria_in(self.rubric)

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        sound = [trace for trace in group if trace.error is None and trace.steps]
        if not sound:
            return list(group)
        writer = session.open_judge()
        try:
            criteria = await self._criteria(sound[0], session, writer)
        except ItemError as error:
            return [trace.failed(str(error)) for trace in group]
        payer = sound[0].id

        async def one(trace: Trace) -> Trace:
            judge = session.open_judge()
            if trace.id == payer:
                judge.cost += writer.cost
            return await self._one(trace, criteria, session, judge)

        return await each(group, one)

    async def _criteria(self, trace: Trace, session: Session, judge: Judge) -> list[Criterion]:
        if self.rubric is not None:
            return criteria_in(self.rubric)
        shown = {**fields(trace, self.sees), "most": str(self.most)}
        asked = session.prompts["rubric"].messages(shown)
        how = sampling(self.temperature, self.max_tokens)
        found = await judge.read(asked, 1, how, lambda text: named(text, self.most))
        return [Criterion(text) for text in (found[0] if found else [])]

    async def _one(
        self, trace: Trace, criteria: list[Criterion], session: Session, judge: Judge
    ) -> Trace:
        met = await together(*(self._met(trace, c, session, judge) for c in criteria))
        whole = weighed(criteria, met)
        evidence = recorded(
            self,
            session,
            judge,
            kind="scores",
            rewards=(*(None,) * (len(trace.steps) - 1), whole),
            found={
                "criteria": {c.criterion: m for c, m in zip(criteria, met, strict=True)},
            },
        )
        return trace.with_evidence(evidence)

    async def _met(
        self, trace: Trace, criterion: Criterion, session: Session, judge: Judge
    ) -> bool | None:
        if criterion.pattern is not None:
            return re.search(criterion.pattern, trace.text) is not None
        asked = session.prompts["criterion"].messages(
            {**fields(trace), "criterion": criterion.criterion}
        )
        how = sampling(self.temperature, self.max_tokens)
        said = await judge.read(asked, 1, how, yes_or_no)
        return {"yes": True, "no": False}.get(said[0]) if said else None


def weighed(criteria: Sequence[Criterion], met: Sequence[bool | None]) -> float | None:
    """The weight of what holds, as a share; 0 where a hard rule fails, nothing where one is
    open."""
    pairs = list(zip(criteria, met, strict=True))
    if any(c.hard and m is False for c, m in pairs):
        return 0.0
    total = sum(c.weight for c in criteria)
    if not total or None in met:
        return None
    return sum(c.weight for c, m in pairs if m) / total


def criteria_in(path: str) -> list[Criterion]:
    try:
        lines = Path(path).read_bytes().splitlines()
        found = [msgspec.json.decode(line, type=Criterion) for line in lines if line.strip()]
        for criterion in found:
            if criterion.pattern is not None:
                re.compile(criterion.pattern)
    except (OSError, msgspec.DecodeError, re.error) as error:
        raise UsageError(
            f"rubric={path}: {error}; a line is like "
            '{"criterion": "names its units", "weight": 2, "pattern": "kg"}'
        ) from None
    if not found or any(c.weight < 0 for c in found):
        raise UsageError(f"rubric={path}: needs a criterion, and weights that are not negative")
    return found
