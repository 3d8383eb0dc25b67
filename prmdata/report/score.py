"""Labels against the truth: how often the first error is exact, how sure they are, and the price.

F1 is ProcessBench's: the harmonic mean of the exact share on traces with a wrong step and on those
without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prmdata.errors import InputError
from prmdata.files import Unreadable, readable
from prmdata.records import Cost, Evidence, Trace

SHARES = (0.5, 0.7, 0.9)
"""The most confident traces, of which the exact share is told."""
BINS = 10


@dataclass(slots=True)
class Score:
    """Sums over traces whose truth is known."""

    traces: int = 0
    failed: int = 0
    truth_unknown: int = 0
    """Traces that the truth says nothing of."""
    steps: int = 0
    truly_wrong: int = 0
    """Traces with a wrong step, as the truth has it."""
    ends: Counter[tuple[bool | None, bool]] = field(default_factory=Counter)
    """(ends right, or nobody knows; has a wrong step) → traces."""
    errors: Counter[str] = field(default_factory=Counter)
    """Kind of the first error → traces."""
    labelled: int = 0
    undecided: int = 0
    """Not among the labelled: their labels say nothing of any step. What they cost counts."""
    exact: int = 0
    exact_on_wrong: int = 0
    labelled_wrong: int = 0
    steps_judged: int = 0
    steps_agreeing: int = 0
    cost: Cost = Cost()
    beliefs: list[tuple[float, bool]] = field(default_factory=list)
    """Of each step: the value it was given, and whether the trace was right up to there."""
    confidences: list[tuple[float, bool]] = field(default_factory=list)
    """Of each trace with a confidence: it, and whether its first error is exact."""

    def add(self, trace: Trace, truth: Evidence) -> None:
        self.traces += 1
        self.steps += len(trace.steps)
        first = truth.first_wrong
        self.truly_wrong += first is not None
        self.ends[(trace.correct, first is not None)] += 1
        if first is not None:
            self.errors[(truth.notes[first] if truth.notes else None) or "unnamed"] += 1
        labels = trace.labels
        if labels is None:
            return
        self.cost += labels.cost
        if labels.undecided:
            self.undecided += 1
            return
        hit = labels.first_error == first
        self.labelled += 1
        self.exact += hit
        self.labelled_wrong += first is not None
        self.exact_on_wrong += hit and first is not None
        if labels.confidence is not None:
            self.confidences.append((labels.confidence, hit))
        values = labels.values or (None,) * len(trace.steps)
        for index, value in enumerate(values):
            believed = labels.first_error is None or index < labels.first_error
            right = first is None or index < first
            self.steps_judged += 1
            self.steps_agreeing += believed == right
            if value is not None:
                self.beliefs.append((value, right))

    def figures(self) -> dict[str, Any]:
        wrong = _share(self.exact_on_wrong, self.labelled_wrong)
        right = _share(self.exact - self.exact_on_wrong, self.labelled - self.labelled_wrong)
        per = max(self.labelled + self.undecided, 1)
        return {
            "traces": self.traces,
            "failed": self.failed,
            "truth_unknown": self.truth_unknown,
            "steps": self.steps,
            "with_a_wrong_step": self.truly_wrong,
            "right_answer_with_a_wrong_step": self.ends[True, True],
            "wrong_answer_without_a_wrong_step": self.ends[False, False],
            "first_error_kinds": dict(sorted(self.errors.items())),
            "labelled": self.labelled,
            "undecided": self.undecided,
            "exact": _share(self.exact, self.labelled),
            "exact_on_erroneous": wrong,
            "exact_on_correct": right,
            "f1": None if wrong is None or right is None else _harmonic(wrong, right),
            "step_accuracy": _share(self.steps_agreeing, self.steps_judged),
            "step_auc": auc(self.beliefs),
            "step_brier": brier(self.beliefs),
            "with_confidence": len(self.confidences),
            "ece": calibration_error(self.confidences),
            **{
                f"exact_at_most_confident_{share:.0%}".replace("%", ""): most_confident(
                    self.confidences, share
                )
                for share in SHARES
            },
            "tokens": self.cost.tokens,
            "rollouts": self.cost.rollouts,
            "rounds": self.cost.rounds,
            "tokens_per_trace": round(self.cost.tokens / per, 2),
            "rollouts_per_trace": round(self.cost.rollouts / per, 2),
            "rounds_per_trace": round(self.cost.rounds / per, 2),
        }


def auc(beliefs: list[tuple[float, bool]]) -> float | None:
    """How often a right step has the higher value of a right and a wrong one; ties count half."""
    right = np.sort([value for value, truth in beliefs if truth])
    wrong = np.array([value for value, truth in beliefs if not truth])
    if not len(right) or not len(wrong):
        return None
    below, up_to = (np.searchsorted(right, wrong, side) for side in ("left", "right"))
    wins = (len(right) - up_to) + 0.5 * (up_to - below)
    return round(float(wins.mean() / len(right)), 6)


def brier(beliefs: list[tuple[float, bool]]) -> float | None:
    if not beliefs:
        return None
    return round(sum((value - truth) ** 2 for value, truth in beliefs) / len(beliefs), 6)


@dataclass(frozen=True, slots=True)
class Bin:
    """Traces of about the same confidence."""

    traces: int
    confidence: float
    exact: float


def reliability(confidences: list[tuple[float, bool]]) -> list[Bin]:
    """Ten bins of equal width, the empty ones left out."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in confidences:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, hit))
    return [
        Bin(
            len(found),
            round(sum(c for c, _ in found) / len(found), 6),
            round(sum(hit for _, hit in found) / len(found), 6),
        )
        for _, found in sorted(bins.items())
    ]


def calibration_error(confidences: list[tuple[float, bool]]) -> float | None:
    """Mean distance of confidence and exact share over the bins, by their traces."""
    bins = reliability(confidences)
    if not bins:
        return None
    off = sum(b.traces * abs(b.confidence - b.exact) for b in bins)
    return round(off / len(confidences), 6)


def most_confident(confidences: list[tuple[float, bool]], share: float) -> float | None:
    first = sorted(confidences, key=lambda pair: -pair[0])
    kept = first[: round(share * len(first))]
    return _share(sum(hit for _, hit in kept), len(kept))


def score(
    traces: Iterable[Trace | Unreadable], truth_of: Callable[[Trace], Evidence | None]
) -> dict[str, Any]:
    return total(traces, truth_of).figures()


def total(
    traces: Iterable[Trace | Unreadable], truth_of: Callable[[Trace], Evidence | None]
) -> Score:
    summed, unknown = Score(), ""
    for trace in readable(traces):
        if trace.error is not None:
            summed.failed += 1
            continue
        truth = truth_of(trace)
        if truth is None:
            summed.truth_unknown += 1
            unknown = unknown or trace.id
            continue
        summed.add(trace, truth)
    if unknown and not summed.traces:
        raise InputError(
            f"trace {unknown}: its truth is not known here, nor that of any other; --truth abacus "
            "judges abacus traces, --truth evidence takes the truth that traces carry, --truth "
            "FILE takes that of another file"
        )
    if not summed.traces:
        raise InputError("the input holds no trace that could be scored")
    return summed


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _harmonic(a: float, b: float) -> float:
    return round(2 * a * b / (a + b), 6) if a + b else 0.0


def lines(figures: dict[str, Any]) -> list[str]:
    """The figures as text, one a line."""

    def show(value: Any) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{name} {count:,}" for name, count in value.items()) or "none"
        if value is None:
            return "—"
        return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"

    return [f"{name.replace('_', ' '):<36} {show(value)}" for name, value in figures.items()]
