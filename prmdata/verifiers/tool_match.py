"""Compares the calls that a trace makes with the ones that it should make (MatchTIR, arXiv
2601.10712; ToolRL, arXiv 2504.13958; UI-R1, arXiv 2503.21620).

The gold calls stand in the problem's context: `calls`, a list of `{"name", "arguments"}`. Calls and
gold calls are matched one to one so that their similarity is greatest in all. A turn's reward is
the mean over its calls; its verdict is right where all of them are exactly gold, wrong where one is
left over after every gold call has found its match, and unknown in between. Without gold calls
nothing is said. Of actions on a screen, a gold call may have a `box` (left, top, right, bottom) in
the place of a point: a click within it is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.grading.words import f1
from prmdata.records import Step, Trace
from prmdata.settings import Positive
from prmdata.turns import final_words
from prmdata.verifiers.calls.likeness import Call, calls_of, gold_calls, similarity, toolrl
from prmdata.verifiers.calls.matching import Table, assigned, in_order, transported
from prmdata.verifiers.calls.screen import acted
from prmdata.verifiers.contract import Finding

How = Literal["hard", "soft", "toolrl", "ui"]


@dataclass(frozen=True, slots=True)
class ToolMatch:
    """Take it where the calls that solve a problem are known, as in tool-use benchmarks."""

    rewards: How = "hard"
    """`hard`: of the call that each is matched with; `soft`: shared among similar ones (Sinkhorn);
    `toolrl`: ToolRL's reward of the whole trace, -3 to 3, on every turn that calls; `ui`: UI-R1's,
    1 each for the kind of action, for its arguments and for calls that can be read."""
    unmatched: float = 0.0
    """Reward of a call that matches no gold call (MatchTIR's function has -0.5)."""
    regularisation: Positive = 0.1
    """`soft`: how far a call's reward is spread; towards 0 it is as with `hard`."""
    ordered: bool = False
    """Gold calls must come in their order: earlier ones are matched by earlier calls only."""

    async def verify(self, trace: Trace) -> list[Finding]:
        gold = gold_calls(trace)
        made = [(step, call) for step, one in enumerate(trace.steps) for call in calls_of(one)]
        if not gold:
            return [Finding("unknown")] * len(trace.steps)
        alike = on_screen if self.rewards == "ui" else similarity
        table = [[alike(call, other) for other in gold] for _, call in made]
        places = in_order(table) if self.ordered else assigned(table)
        given = self._rewards(table, places, [call for _, call in made], gold)
        findings = []
        for index, step in enumerate(trace.steps):
            own = [i for i, (place, _) in enumerate(made) if place == index]
            findings.append(self._finding(trace, step, own, table, places, given))
        return findings

    def _rewards(
        self,
        table: Table,
        places: Sequence[int | None],
        made: Sequence[Call],
        gold: Sequence[Call],
    ) -> list[float]:
        if self.rewards == "toolrl":
            return [toolrl(made, gold)] * len(made)
        if self.rewards == "ui":
            return [
                (0.0 if place is None else 2 * row[place]) + float(own is not None)
                for row, place, (_, own) in zip(table, places, made, strict=True)
            ]
        if self.rewards == "soft":
            plan = transported(table, self.regularisation)
            return [
                sum(share * similar for share, similar in zip(row, own, strict=True))
                for row, own in zip(plan, table, strict=True)
            ]
        return [
            self.unmatched if place is None else row[place]
            for row, place in zip(table, places, strict=True)
        ]

    def _finding(
        self,
        trace: Trace,
        step: Step,
        own: Sequence[int],
        table: Table,
        places: Sequence[int | None],
        given: Sequence[float],
    ) -> Finding:
        if not own:
            return _answer(trace, step)
        reward = sum(given[i] for i in own) / len(own)
        similar = [None if (p := places[i]) is None else table[i][p] for i in own]
        notes = "; ".join(_note(i, places[i], table) for i in own)
        if None in similar:
            left = len(table[0]) - sum(place is not None for place in places)
            return Finding("unknown" if left else "wrong", notes, reward)
        return Finding("right" if min(s or 0 for s in similar) >= 1 else "unknown", notes, reward)


def on_screen(call: Call, gold: Call) -> float:
    """1 for the same action, one half for the same kind of action."""
    return sum(acted(call, gold)) / 2


def _note(number: int, place: int | None, table: Table) -> str:
    if place is None:
        return f"call {number + 1} matches no gold call that is left"
    return f"call {number + 1} matches gold call {place + 1} ({table[number][place]:.2f})"


def _answer(trace: Trace, step: Step) -> Finding:
    """The answer's turn is rewarded by F1."""
    golds = trace.problem.golds
    if step is not trace.steps[-1] or not golds or not final_words(trace).strip():
        return Finding("unknown")
    return Finding("unknown", None, f1(trace.answer or final_words(trace), golds))
