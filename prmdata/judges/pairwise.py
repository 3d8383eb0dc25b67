"""Which of two next steps is better, asked in both orders, by principles that the judge names first
(WebArbiter).

Steps that follow the same steps of the same problem are compared, as `estimate --method
next-step` makes them. A verdict that changes with the order is a tie, and is counted: it says
where the judge looks, and not what it thinks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from prmdata.errors import ItemError
from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields, shown
from prmdata.judges.contract import Session, recorded, sampling
from prmdata.judges.reading.choices import Choice, choice
from prmdata.records import Trace
from prmdata.settings import Amount, Count
from prmdata.tasks import together


@dataclass(slots=True)
class Tally:
    """What became of one trace's steps."""

    won: dict[int, float] = field(default_factory=dict)
    compared: dict[int, int] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    contradictory: int = 0

    def add(self, step: int, points: float, note: str | None) -> None:
        self.won[step] = self.won.get(step, 0.0) + points
        self.compared[step] = self.compared.get(step, 0) + 1
        if note and step not in self.notes:
            self.notes[step] = note


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Take it for preferences between actions whose ends nobody can grade."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"pairwise": ("question", "first", "second")}
    siblings: ClassVar[bool] = True

    votes: Count = 1
    """Verdicts for each order."""
    pairs: Count = 8
    """Most pairs of steps to compare after one and the same prefix."""
    sees: Sees = "nothing"
    """What the judge is shown beside the problem, the steps before and the two next ones."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 2048
    """Most tokens of one verdict."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        judge = session.open_judge()
        tallies = {trace.id: Tally() for trace in group}
        found = list(self._pairs(group))
        try:
            said = await together(*(self._compared(a, b, k, session, judge) for a, b, k in found))
        except ItemError as error:
            return [trace.failed(str(error)) for trace in group]
        for (one, other, step), (points, note, contradictory) in zip(found, said, strict=True):
            if points is None:
                continue
            tallies[one.id].add(step, points, note if points > 0.5 else None)
            tallies[other.id].add(step, 1 - points, note if points < 0.5 else None)
            tallies[one.id].contradictory += contradictory
        return [
            trace if trace.error else self._with(trace, tallies[trace.id], session, judge, at == 0)
            for at, trace in enumerate(group)
        ]

    def _pairs(self, group: Sequence[Trace]) -> Iterator[tuple[Trace, Trace, int]]:
        """Two traces and the number of the first step in which they differ."""
        nodes: dict[tuple[str, ...], dict[str, Trace]] = {}
        for trace in group:
            texts = tuple(step.text for step in trace.steps)
            for step in range(len(texts)):
                if trace.error is None:
                    nodes.setdefault(texts[:step], {}).setdefault(texts[step], trace)
        for prefix, nexts in nodes.items():
            both = itertools.combinations(nexts.values(), 2)
            for one, other in itertools.islice(both, self.pairs):
                yield one, other, len(prefix)

    async def _compared(
        self, one: Trace, other: Trace, step: int, session: Session, judge: Judge
    ) -> tuple[float | None, str | None, int]:
        """Points of the first in [0, 1], or `None` where nothing could be read."""
        how = sampling(self.temperature, self.max_tokens)
        shown_fields = fields(one, self.sees, step)
        before = f"So far:\n{shown_fields['steps']}\n\n" if step else ""

        async def asked(a: Trace, b: Trace) -> list[Choice]:
            filled = {
                **shown_fields,
                "state": shown_fields["seen"] + before,
                "first": fenced(shown(a.steps[step])),
                "second": fenced(shown(b.steps[step])),
            }
            messages = session.prompts["pairwise"].messages(filled)
            return await judge.read(messages, self.votes, how, choice)

        ahead, behind = await together(asked(one, other), asked(other, one))
        votes = list(zip(ahead, behind, strict=False))
        if not votes:
            return None, None, 0
        points = [_points(a, b) for a, b in votes]
        contradictory = sum(a.chosen == b.chosen != "tie" for a, b in votes)
        note = next((a.reason for (a, _), p in zip(votes, points, strict=True) if p != 0.5), None)
        return sum(points) / len(points), note, contradictory

    def _with(
        self, trace: Trace, tally: Tally, session: Session, judge: Judge, first: bool
    ) -> Trace:
        """The trace with the share of comparisons that each of its steps has won. The group is
        asked as one, so its first trace carries the cost."""
        steps = range(len(trace.steps))
        shares = tuple(
            tally.won[s] / tally.compared[s] if s in tally.compared else None for s in steps
        )
        notes = tuple(tally.notes.get(s) for s in steps)
        bill = judge if first else Judge(judge.sampler)
        evidence = recorded(
            self,
            session,
            bill,
            kind="scores",
            rewards=tuple(None if share is None else 2 * share - 1 for share in shares),
            notes=notes if any(notes) else (),
            found={
                "compared": sum(tally.compared.values()),
                "contradictory": tally.contradictory,
            },
        )
        return trace.with_evidence(evidence)


def fenced(text: str) -> str:
    """A step cannot close the tag that it stands in."""
    for tag in ("</A>", "</B>", "<A>", "<B>"):
        text = text.replace(tag, tag.replace("<", "< "))
    return text


def _points(ahead: Choice, behind: Choice) -> float:
    """1 where the first is chosen in both orders, 0 where the second is, else a tie."""
    if ahead.chosen == "A" and behind.chosen == "B":
        return 1.0
    if ahead.chosen == "B" and behind.chosen == "A":
        return 0.0
    return 0.5
