"""How often answers are wrong beside how often steps are (Guiding Through Complexity).

A hard problem may end wrong almost always and still have few wrong steps: such traces teach more
than their outcome says. By level, subject and pass rate, with 95 % intervals over problems.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from prmdata.errors import InputError
from prmdata.files import Unreadable, readable
from prmdata.intervals import clustered_wilson
from prmdata.labellers.evidence.step_verdicts import rights
from prmdata.records import Trace

SUBJECTS = ("level", "subject", "type", "source")
"""What problems say of themselves, in `meta`."""
PASS_RATES = (
    ("0.00", 0.0),
    ("0.00-0.25", 0.25),
    ("0.25-0.50", 0.5),
    ("0.50-0.75", 0.75),
    ("0.75-1.00", 1 - 1e-9),
)
MOST = 40
"""Different values of one name that are shown; a name with more is no grouping."""


@dataclass(slots=True)
class Rate:
    """Hits and tries, problem by problem."""

    by_problem: defaultdict[int, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )

    def add(self, problem: int, hits: int, of: int) -> None:
        counts = self.by_problem[problem]
        counts[0] += hits
        counts[1] += of

    @property
    def share(self) -> float | None:
        total = sum(of for _, of in self.by_problem.values())
        return sum(hits for hits, _ in self.by_problem.values()) / total if total else None

    def figures(self) -> dict[str, object] | None:
        counts = [(hits, of) for hits, of in self.by_problem.values()]
        total = sum(of for _, of in counts)
        if not total:
            return None
        low, high = clustered_wilson(counts)
        share = sum(hits for hits, _ in counts) / total
        return {"share": round(share, 4), "low": round(low, 4), "high": round(high, 4), "n": total}


@dataclass(slots=True)
class Bin:
    traces: int = 0
    outcome: Rate = field(default_factory=Rate)
    flawed: Rate = field(default_factory=Rate)
    steps: Rate = field(default_factory=Rate)
    place: float = 0.0
    places: int = 0

    def add(self, trace: Trace, by: str | None) -> None:
        problem, known = hash(trace.problem.id), rights(trace, by)
        self.traces += 1
        if trace.correct is not None:
            self.outcome.add(problem, trace.correct is False, 1)
        judged = len(known) - known.count(None)
        if judged:
            self.flawed.add(problem, False in known, 1)
            self.steps.add(problem, known.count(False), judged)
        if False in known:
            self.place += (known.index(False) + 1) / len(known)
            self.places += 1

    def figures(self) -> dict[str, object]:
        return {
            "traces": self.traces,
            "outcome error": self.outcome.figures(),
            "traces with a wrong step": self.flawed.figures(),
            "step error": self.steps.figures(),
            "first wrong step at": round(self.place / self.places, 3) if self.places else None,
        }


def rates(traces: Iterable[Trace | Unreadable], by: str | None = None) -> dict[str, Any]:
    """Figures for all traces, and for each group of them."""
    every, groups = Bin(), defaultdict[str, defaultdict[str, Bin]](lambda: defaultdict(Bin))
    names: set[str] = set()
    for trace in readable(traces):
        if trace.error is not None:
            continue
        every.add(trace, by)
        names |= {evidence.name for evidence in trace.evidence}
        for name, value in _groups(trace):
            groups[name][value].add(trace, by)
    if not every.traces:
        raise InputError("the input holds no sound trace; there is nothing to count")
    if every.steps.figures() is None:
        raise InputError(
            "nothing is known of any step; label the traces first, or name evidence with verdicts "
            f"(--evidence NAME; there is: {', '.join(sorted(names)) or 'none'})"
        )
    shown = {name: values for name, values in groups.items() if 1 < len(values) <= MOST}
    return {
        "all": every.figures(),
        **{
            f"{name} {value}": {**found.figures(), "weight": weight}
            for name, values in shown.items()
            for (value, found), weight in zip(
                sorted(values.items()), _weights(sorted(values.items())), strict=True
            )
        },
    }


def _weights(groups: Sequence[tuple[str, Bin]]) -> list[float | None]:
    """How much of a training set each group should be: in proportion to how often its answers are
    wrong (RuleReasoner). Nothing where that is not known of all."""
    shares = [found.outcome.share for _, found in groups]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares) or not sum(known):
        return [None] * len(shares)
    return [round(share / sum(known), 4) for share in known]


def _groups(trace: Trace) -> Iterator[tuple[str, str]]:
    for name in SUBJECTS:
        value = trace.problem.meta.get(name)
        if isinstance(value, str | int | float):
            yield name, str(value)[:40]
    graded = trace.group.right + trace.group.wrong if trace.group else 0
    if trace.group and graded:
        rate = trace.group.right / graded
        yield "pass rate", next((name for name, most in PASS_RATES if rate <= most), "1.00")
