"""Labels against the truth: how often the first error is exact, how sure they are, and the price.

F1 is ProcessBench's: the harmonic mean of the exact share on traces with a wrong step and on those
without. A trace that nothing is decided of counts as a miss, as there; the figures that end in
`_decided` leave such traces out. Steps that the truth says nothing of count nowhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prmdata.errors import InputError
from prmdata.files import Unreadable, readable
from prmdata.intervals import DEVIATIONS, REPLICATES, bootstrap, wilson
from prmdata.records import Cost, Evidence, Trace
from prmdata.report.sample import EXACT, Measures, Sample
from prmdata.traces.pseudo_gold import is_pseudo
from prmdata.truth import first_error_known

MOST_WORK = 50_000_000
"""Steps times replicates of the bootstrap; very many steps make do with fewer replicates."""
FEWEST = 200


@dataclass(slots=True)
class Score:
    """Sums over traces whose truth is known, and the sample of their labels."""

    with_values: bool = True
    """False: the values of steps are not held, and there are no figures of them."""
    traces: int = 0
    failed: int = 0
    truth_unknown: int = 0
    """Traces that the truth says nothing of."""
    truth_incomplete: int = 0
    """Traces of which the truth leaves the first error open; their steps count where known."""
    pseudo_gold: int = 0
    """Traces that were graded against the majority's answer, not against a true one."""
    steps: int = 0
    truly_wrong: int = 0
    """Traces with a wrong step, as the truth has it."""
    ends: Counter[tuple[bool | None, bool]] = field(default_factory=Counter)
    """(ends right, or nobody knows; has a wrong step) → traces."""
    errors: Counter[str] = field(default_factory=Counter)
    """Kind of the first error → traces."""
    labelled: int = 0
    unlabelled: int = 0
    undecided: int = 0
    """Not among the labelled: their labels say nothing of any step. What they cost counts."""
    cost: Cost = Cost()
    sample: Sample = field(default_factory=Sample)

    def add(self, trace: Trace, truth: Evidence) -> None:
        self.traces += 1
        self.steps += len(trace.steps)
        self.pseudo_gold += is_pseudo(trace.problem)
        first = truth.first_wrong
        self.truly_wrong += first is not None
        self.ends[(trace.correct, first is not None)] += 1
        if first is not None:
            self.errors[(truth.notes[first] if truth.notes else None) or "unnamed"] += 1
        labels = trace.labels
        if labels is not None:
            self.cost += labels.cost
        decided = labels is not None and not labels.undecided
        self.labelled += decided
        self.unlabelled += labels is None
        self.undecided += labels is not None and not decided
        if first_error_known(truth):
            self.sample.add_trace(
                trace.problem.id,
                decided=decided,
                hit=decided and labels is not None and labels.first_error == first,
                wrong=first is not None,
                confidence=labels.confidence if decided and labels is not None else None,
            )
        else:
            self.truth_incomplete += 1
        if decided:
            self._add_steps(trace, truth)

    def _add_steps(self, trace: Trace, truth: Evidence) -> None:
        labels, first = trace.labels, truth.first_wrong
        assert labels is not None
        values = labels.values or (None,) * len(trace.steps)
        for index, (value, verdict) in enumerate(zip(values, truth.verdicts, strict=True)):
            if verdict not in ("right", "wrong"):
                continue
            believed = labels.first_error is None or index < labels.first_error
            right = first is None or index < first
            self.sample.add_step(
                trace.problem.id,
                agreeing=believed == right,
                right=right,
                value=value if self.with_values else None,
            )

    @property
    def confidences(self) -> list[tuple[float, bool]]:
        """Of each trace with a confidence: it, and whether its first error is exact."""
        return self.sample.confidences

    def figures(self, *, intervals: bool = True) -> dict[str, Any]:
        measures = Measures(self.sample)
        ones = np.ones(len(self.sample.problems))
        found = measures(ones) if self.labelled + self.undecided else {}
        per = max(self.labelled + self.undecided, 1)
        confident = len(measures.confidence)
        chance = measures.calibration_error_by_chance(FEWEST, 0) if confident else np.zeros(0)
        return {
            "traces": self.traces,
            "problems": len(self.sample.problems),
            "failed": self.failed,
            "truth_unknown": self.truth_unknown,
            "truth_incomplete": self.truth_incomplete,
            "pseudo_gold": self.pseudo_gold,
            "steps": self.steps,
            "with_a_wrong_step": self.truly_wrong,
            "right_answer_with_a_wrong_step": self.ends[True, True],
            "wrong_answer_without_a_wrong_step": self.ends[False, False],
            "first_error_kinds": dict(sorted(self.errors.items())),
            "labelled": self.labelled,
            "undecided": self.undecided,
            "unlabelled": self.unlabelled,
            **{name: _rounded(found.get(name, math.nan)) for name in measures.names},
            "with_confidence": confident,
            "ece_if_calibrated": _rounded(float(chance.mean())) if confident else None,
            "tokens": self.cost.tokens,
            "scored": self.cost.scored,
            "rollouts": self.cost.rollouts,
            "rounds": self.cost.rounds,
            "tokens_per_trace": round(self.cost.tokens / per, 2),
            "scored_per_trace": round(self.cost.scored / per, 2),
            "rollouts_per_trace": round(self.cost.rollouts / per, 2),
            "rounds_per_trace": round(self.cost.rounds / per, 2),
            **({"intervals": self._intervals(measures, found, chance)} if intervals else {}),
        }

    def _intervals(
        self, measures: Measures, found: Mapping[str, float], chance: Any
    ) -> dict[str, list[float]]:
        """95 %, by a bootstrap over problems. Where that has nothing to vary, all being hits or
        misses, Wilson's with a problem as the unit."""
        problems = len(self.sample.problems)
        replicates = MOST_WORK // max(len(self.sample.value), 1)
        replicates = min(max(replicates, FEWEST), REPLICATES)
        intervals = bootstrap(problems, measures, replicates) if found else {}
        for name, (low, high) in intervals.items():
            if low == high and found[name] in (0, 1) and name.removesuffix("_decided") in EXACT:
                behind = measures.problems_behind(name)
                intervals[name] = wilson(found[name] * behind, behind, DEVIATIONS)
        if len(chance) and problems > 1:
            low, high = np.quantile(chance, [0.025, 0.975])
            intervals["ece_if_calibrated"] = (float(low), float(high))
        return {
            name: [round(low, 6), round(high, 6)]
            for name, (low, high) in intervals.items()
            if not math.isnan(found.get(name, 0.0))
        }


def score(
    traces: Iterable[Trace | Unreadable], truth_of: Callable[[Trace], Evidence | None]
) -> dict[str, object]:
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


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures as text, one a line, with their intervals."""
    intervals = figures.get("intervals", {})

    def show(name: str, value: object) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{key} {count:,}" for key, count in value.items()) or "none"
        if value is None:
            return "—"
        if name in intervals:
            low, high = intervals[name]
            return f"{value:.3f}  (95 %: {low:.3f} to {high:.3f})"
        return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"

    return [
        f"{name.replace('_', ' '):<36} {show(name, value)}"
        for name, value in figures.items()
        if name != "intervals"
    ]
