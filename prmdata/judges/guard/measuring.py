"""How often a judge, asked in one way with one prompt, calls right what solves nothing; whether it
calls right what is right; and whether it leans to one answer, or to one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prmdata.abacus import Story
from prmdata.intervals import DEVIATIONS, wilson
from prmdata.judges.contract import Session, Way
from prmdata.judges.guard.leanings import asked_both_ways, asked_in_both_orders
from prmdata.judges.guard.probes import PROBES, lines_of, stories, trace_of
from prmdata.records import Trace
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Passed:
    """How many traces a judge called right, of how many."""

    traces: int
    right: int
    unread: int

    def figures(self) -> dict[str, Any]:
        low, high = wilson(self.right, self.traces, DEVIATIONS)
        return {
            "traces": self.traces,
            "called_right": self.right,
            "unread": self.unread,
            "rate": round(self.right / self.traces, 4),
            "interval": [round(low, 4), round(high, 4)],
        }


async def guarded(way: Way, session: Session, problems: int, seed: int) -> dict[str, object]:
    """The figures of one way with its prompt."""
    pairs = stories(problems, seed)
    made = await together(*(_probed(way, session, pairs, name) for name in range(len(PROBES))))
    probes = {probe.name: found.figures() for probe, found in zip(PROBES, made, strict=True)}
    traces, right = sum(p.traces for p in made), sum(p.right for p in made)
    low, high = wilson(right, traces, DEVIATIONS)
    sound = await _judged(way, session, [_right(told, n) for n, (told, _) in enumerate(pairs)])
    worst = max(probes, key=lambda name: probes[name]["rate"])
    return {
        "false_positive_rate": round(right / traces, 4),
        "interval": [round(low, 4), round(high, 4)],
        "worst_probe": worst,
        "worst_rate": probes[worst]["rate"],
        "right_solutions": sound.figures(),
        "probes": probes,
        "polarity": await asked_both_ways(session, pairs),
        "position": await asked_in_both_orders(session, pairs),
    }


async def _probed(
    way: Way, session: Session, pairs: Sequence[tuple[Story, Story]], number: int
) -> Passed:
    probe = PROBES[number]
    traces = [
        trace_of(told, at, str(number), probe.make(told, other))
        for at, (told, other) in enumerate(pairs)
    ]
    return await _judged(way, session, traces)


def _right(told: Story, number: int) -> Trace:
    return trace_of(told, number, "right", lines_of(told))


async def _judged(way: Way, session: Session, traces: Sequence[Trace]) -> Passed:
    """Each by itself: what the judge says must not hang on its neighbours."""
    made = [
        one for found in await together(*(way.judge([t], session) for t in traces)) for one in found
    ]
    evidence = [trace.evidence_named(session.name) for trace in made]
    right = sum(
        e is not None and bool(e.verdicts) and all(v == "right" for v in e.verdicts)
        for e in evidence
    )
    unread = sum(
        e is None or not any(v in ("right", "wrong") for v in e.verdicts) for e in evidence
    )
    return Passed(len(made), right, unread)
