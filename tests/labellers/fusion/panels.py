"""Simulated judges of traces whose first error is known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from prmdata.records import Evidence, Problem, Step, Trace, Verdict


@dataclass(frozen=True, slots=True)
class Simulated:
    name: str
    before: float
    """How often it calls a right step wrong."""
    at: float
    """How often it calls the first error wrong."""
    of: str | None = None
    """The judge whose words it repeats, nine times in ten."""


def traces(
    judges: Sequence[Simulated], n: int, seed: int, wrong: float = 0.6, steps: int = 6
) -> tuple[list[Trace], dict[str, int | None]]:
    """The traces with the judges' verdicts, and where each first goes wrong."""
    drawn = random.Random(seed)
    made, firsts = [], {}
    for number in range(n):
        first = drawn.randrange(steps) if drawn.random() < wrong else None
        trace = Trace(f"t{number}", Problem(f"p{number // 4}", "q"), (Step("a\n"),) * steps)
        said: dict[str, tuple[Verdict, ...]] = {}
        for judge in judges:
            own = tuple(_verdict(judge, step, first, drawn) for step in range(steps))
            repeats = judge.of is not None and drawn.random() < 0.97
            said[judge.name] = said[judge.of] if judge.of and repeats else own
        for name, verdicts in said.items():
            trace = trace.with_evidence(
                Evidence(name, "verdicts", verdicts=verdicts, checked_by="judge")
            )
        made.append(trace)
        firsts[trace.id] = first
    return made, firsts


def _verdict(judge: Simulated, step: int, first: int | None, drawn: random.Random) -> Verdict:
    chance = judge.before if first is None or step < first else judge.at
    return "wrong" if drawn.random() < chance else "right"
