"""Labels against the truth: how often the first error is exact, and what a label cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from prmdata.errors import InputError
from prmdata.files import Unreadable
from prmdata.records import Cost, Evidence, Trace
from prmdata.report.truth import first_wrong


@dataclass(slots=True)
class Score:
    """Sums over traces whose truth is known."""

    traces: int = 0
    failed: int = 0
    steps: int = 0
    truly_wrong: int = 0
    """Traces with a wrong step, as the truth has it."""
    ends: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    """(ends right, has a wrong step) → traces."""
    errors: Counter[str] = field(default_factory=Counter)
    """Kind of the first error → traces."""
    labelled: int = 0
    exact: int = 0
    exact_on_wrong: int = 0
    labelled_wrong: int = 0
    steps_judged: int = 0
    steps_agreeing: int = 0
    cost: Cost = Cost()

    def add(self, trace: Trace, truth: Evidence) -> None:
        self.traces += 1
        self.steps += len(trace.steps)
        first = first_wrong(truth)
        self.truly_wrong += first is not None
        self.ends[(trace.correct is True, first is not None)] += 1
        if first is not None:
            self.errors[(truth.notes[first] if truth.notes else None) or "unnamed"] += 1
        labels = trace.labels
        if labels is None:
            return
        hit = labels.first_error == first
        self.labelled += 1
        self.exact += hit
        self.labelled_wrong += first is not None
        self.exact_on_wrong += hit and first is not None
        for index in range(len(trace.steps)):
            believed = labels.first_error is None or index < labels.first_error
            self.steps_judged += 1
            self.steps_agreeing += believed == (first is None or index < first)
        self.cost += labels.cost

    def figures(self) -> dict[str, Any]:
        wrong = _share(self.exact_on_wrong, self.labelled_wrong)
        right = _share(self.exact - self.exact_on_wrong, self.labelled - self.labelled_wrong)
        per = max(self.labelled, 1)
        return {
            "traces": self.traces,
            "failed": self.failed,
            "steps": self.steps,
            "with_a_wrong_step": self.truly_wrong,
            "right_answer_with_a_wrong_step": self.ends[True, True],
            "wrong_answer_without_a_wrong_step": self.ends[False, False],
            "first_error_kinds": dict(sorted(self.errors.items())),
            "labelled": self.labelled,
            "exact": _share(self.exact, self.labelled),
            "exact_on_erroneous": wrong,
            "exact_on_correct": right,
            "f1": None if wrong is None or right is None else _harmonic(wrong, right),
            "step_accuracy": _share(self.steps_agreeing, self.steps_judged),
            "tokens": self.cost.tokens,
            "rollouts": self.cost.rollouts,
            "rounds": self.cost.rounds,
            "tokens_per_trace": round(self.cost.tokens / per, 2),
            "rollouts_per_trace": round(self.cost.rollouts / per, 2),
            "rounds_per_trace": round(self.cost.rounds / per, 2),
        }


def score(
    traces: Iterable[Trace | Unreadable], truth_of: Callable[[Trace], Evidence | None]
) -> dict[str, Any]:
    total = Score()
    for trace in traces:
        if isinstance(trace, Unreadable):
            raise InputError(trace.reason)
        if trace.error is not None:
            total.failed += 1
            continue
        truth = truth_of(trace)
        if truth is None:
            raise InputError(
                f"trace {trace.id}: its truth is not known here; --truth abacus judges abacus "
                "traces, --truth evidence takes the truth that traces carry"
            )
        total.add(trace, truth)
    if not total.traces:
        raise InputError("score: the input holds no trace that could be scored")
    return total.figures()


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
