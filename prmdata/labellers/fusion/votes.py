"""What judges say of many traces, as arrays: one row a step, one column a judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prmdata.records import Evidence, Trace

Array = Any
"""A numpy array."""
FINAL = "final"
"""In a judge's settings: what it says of the final answer."""
ENDINGS = {None: 0, True: 1, False: 2}
"""How a trace ends, as a column: nobody knows, right, wrong."""
USUAL_ALARMS = 0.2
"""The share of steps that scores call wrong, where no verdicts tell it."""


@dataclass(frozen=True, slots=True)
class Votes:
    wrong: Array
    """Steps x judges: 1 where a judge calls the step wrong."""
    right: Array
    final_wrong: Array
    """Traces x judges: 1 where a judge calls the final answer wrong."""
    final_right: Array
    lengths: Array
    """Steps of each trace."""
    endings: Array
    """Of each trace, a value of `ENDINGS`."""

    @property
    def traces(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> Array:
        """The row of each trace's first step."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(int)

    @property
    def owners(self) -> Array:
        """The trace of each step."""
        return np.repeat(np.arange(self.traces), self.lengths)

    def summed(self, values: Array) -> Array:
        """Sums over the steps of each trace."""
        return np.add.reduceat(values, self.starts, axis=0)

    def before(self, values: Array) -> Array:
        """Sums over the steps of the same trace that come before each step."""
        running = np.cumsum(values, axis=0) - values
        return running - running[self.starts][self.owners]

    def of(self, judges: Sequence[int]) -> Votes:
        """The same traces, with some of the judges."""
        at = list(judges)
        return Votes(
            self.wrong[:, at],
            self.right[:, at],
            self.final_wrong[:, at],
            self.final_right[:, at],
            self.lengths,
            self.endings,
        )

    @property
    def firsts(self) -> Array:
        """Steps x judges: 1 where a judge names this step as the first wrong one."""
        return self.wrong * (self.before(self.wrong) == 0)

    @property
    def silent(self) -> Array:
        """Traces x judges: 1 where a judge calls no step wrong."""
        return (self.summed(self.wrong) == 0).astype(float)


def judges_in(traces: Iterable[Trace]) -> list[str]:
    """The names of all judges, in the order in which they come up."""
    names: dict[str, None] = {}
    for trace in traces:
        names.update(dict.fromkeys(e.name for e in trace.evidence if votes(e)))
    return list(names)


def votes(evidence: Evidence) -> bool:
    """Whether the evidence has a vote: verdicts, values, or something to say of the answer."""
    return evidence.kind != "truth" and bool(
        evidence.verdicts or evidence.values or FINAL in evidence.settings
    )


def gathered(traces: Sequence[Trace], names: Sequence[str], cuts: Sequence[float | None]) -> Votes:
    """The votes of these judges. `cuts`: for a judge with values, up to which one a step is
    wrong."""
    place = {name: at for at, name in enumerate(names)}
    lengths = np.array([len(trace.steps) for trace in traces], dtype=int)
    rows, columns = int(lengths.sum()), len(names)
    wrong, right = np.zeros((rows, columns)), np.zeros((rows, columns))
    finals = np.zeros((2, len(traces), columns))
    start = 0
    for number, trace in enumerate(traces):
        for evidence in trace.evidence:
            at = place.get(evidence.name)
            if at is None or not votes(evidence):
                continue
            for step, vote in enumerate(_of_steps(evidence, cuts[at])):
                wrong[start + step, at] = vote == "wrong"
                right[start + step, at] = vote == "right"
            finals[0, number, at] = evidence.settings.get(FINAL) == "wrong"
            finals[1, number, at] = evidence.settings.get(FINAL) == "right"
        start += len(trace.steps)
    endings = np.array([ENDINGS[trace.correct] for trace in traces], dtype=int)
    return Votes(wrong, right, finals[0], finals[1], lengths, endings)


def _of_steps(evidence: Evidence, cut: float | None) -> list[str | None]:
    if evidence.verdicts:
        return list(evidence.verdicts)
    if cut is None:
        return []
    return [None if v is None else "wrong" if v <= cut else "right" for v in evidence.values]


def cuts_of(traces: Sequence[Trace], names: Sequence[str]) -> list[float | None]:
    """For each judge with values: the value up to which it calls as many steps wrong as others
    do."""
    said = [
        verdict
        for trace in traces
        for e in trace.evidence
        if e.kind != "truth"
        for verdict in e.verdicts
        if verdict in ("right", "wrong")
    ]
    alarms = said.count("wrong") / len(said) if said else USUAL_ALARMS
    return [_cut(traces, name, alarms) for name in names]


def _cut(traces: Sequence[Trace], name: str, alarms: float) -> float | None:
    found = [e for trace in traces for e in trace.evidence if e.name == name]
    if any(e.verdicts for e in found):
        return None
    values = sorted(value for e in found for value in e.values if value is not None)
    if not values:
        return None
    return values[min(int(alarms * len(values)), len(values) - 1)]
