"""What a form of credit is: the rewards or values of a problem's traces → credit for each step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

from prmdata.records import Evidence, Tally, Trace

Series = tuple[float | None, ...]
"""A number for each step; `None` is unknown."""
Kind = Literal["rewards", "values"]
LABELS = "labels"
"""The name under which the values of the labels are read."""
NAME = "credit"
"""The name of the evidence that credit is written into."""


class NoSignal(Exception):
    """Why a trace has nothing to take credit from; the summary counts these by reason."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a trace's steps earned, or were worth."""

    of: str
    """The evidence it was read from, or `labels`."""
    kind: Kind
    series: Series
    start: float | None
    """The value before the first step."""


@dataclass(frozen=True, slots=True)
class Common:
    """The settings that every form has."""

    evidence: str | None = None
    """Whose rewards or values are read: `labels` reads the labels' values, `credit` those of an
    earlier form. None: the last rewards there are, else the values behind the labels, else the last
    values, else the labels' own."""
    outcome: float = 0.0
    """Weight of the outcome, added to each step: 1 for a right answer and 0 for a wrong one, less
    the mean of the problem's traces, divided by their deviation."""


@runtime_checkable
class Form(Protocol):
    """Frozen dataclasses with these members are forms; their fields are their settings."""

    prefers: ClassVar[Kind]
    """`rewards`: values are read in their place where there are none. `values`: only values."""

    @property
    def evidence(self) -> str | None: ...

    @property
    def outcome(self) -> float: ...

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        """Credit for the steps of a problem's traces."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """A form that has to see every trace of the input before it gives credit to one."""

    def fitted(self, signals: Iterable[Signal]) -> Form: ...


def signal_of(trace: Trace, name: str | None, prefers: Kind) -> Signal:
    """The rewards or values of a trace, or `NoSignal`."""
    if not trace.steps:
        raise NoSignal("no steps")
    if name == LABELS:
        return _of_labels(trace)
    if name is not None:
        found = trace.evidence_named(name)
        if found is None:
            raise NoSignal(f"no evidence '{name}'")
        return _of_evidence(trace, found, prefers)
    others = [e for e in reversed(trace.evidence) if e.kind != "truth" and e.name != NAME]
    if prefers == "rewards" and (paid := [e for e in others if e.rewards]):
        return _of_evidence(trace, paid[0], prefers)
    valued = [e for e in (*_behind(trace, others), *others) if e.values]
    unbent = next((e for e in valued if e.stopping != "first-hit"), None)
    if unbent is not None:
        return _of_evidence(trace, unbent, "values")
    if trace.labels is not None and trace.labels.values:
        return _of_labels(trace)
    raise NoSignal(BENT if valued else "neither rewards nor values")


BENT = "values bent by early stopping"


def _behind(trace: Trace, others: Sequence[Evidence]) -> list[Evidence]:
    if trace.labels is None:
        return []
    named = str(trace.labels.settings.get("evidence") or trace.labels.by).replace("+", ",")
    return [evidence for evidence in others if evidence.name in named.split(",")]


def _of_evidence(trace: Trace, evidence: Evidence, prefers: Kind) -> Signal:
    if evidence.rewards and prefers == "rewards":
        return Signal(evidence.name, "rewards", evidence.rewards, None)
    if not evidence.values:
        has = "rewards, but this form needs" if evidence.rewards else "neither rewards nor"
        raise NoSignal(f"evidence '{evidence.name}' has {has} values")
    if evidence.stopping == "first-hit":
        raise NoSignal(BENT)
    return Signal(evidence.name, "values", evidence.values, pass_rate(trace.group))


def _of_labels(trace: Trace) -> Signal:
    labels = trace.labels
    if labels is None or not labels.values or labels.undecided:
        raise NoSignal("the labels have no values")
    return Signal(LABELS, "values", labels.values, 1.0)  # with no step, none is wrong


def pass_rate(group: Tally | None) -> float | None:
    """The share of a problem's graded traces that are right."""
    graded = group.right + group.wrong if group else 0
    return group.right / graded if group and graded else None


def outcome_advantages(group: Sequence[Trace]) -> list[float | None]:
    """GRPO's: outcomes less their mean, over their deviation; 0 where all ended alike.

    The mean is that of the traces that were sampled, where it is known, not of those still here.
    """
    outcomes = [None if t.correct is None else float(t.correct) for t in group]
    graded = [outcome for outcome in outcomes if outcome is not None]
    mean = pass_rate(group[0].group) if group else None
    if mean is None and graded:
        mean = sum(graded) / len(graded)
    if mean is None:
        return list(outcomes)
    deviation = math.sqrt(mean * (1 - mean))
    return [
        None if outcome is None else (outcome - mean) / deviation if deviation else 0.0
        for outcome in outcomes
    ]


def normalised(number: float | None, known: Sequence[float], scale: bool = True) -> float | None:
    """Less the mean of what is known, over its deviation; 0 where all are alike."""
    if number is None:
        return None
    mean = sum(known) / len(known)
    spread = math.sqrt(sum((x - mean) ** 2 for x in known) / len(known)) if scale else 1.0
    return (number - mean) / spread if spread > TINY else 0.0


TINY = 1e-9
"""A deviation below this is rounding."""
