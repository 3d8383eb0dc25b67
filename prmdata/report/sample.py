"""Judged traces as arrays, and every figure of them as a function of a weight for each problem.

A weight of 1 for each gives the figure, drawn weights a replicate of the bootstrap. Ties never
depend on the order of the file.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHARES = (0.5, 0.7, 0.9)
"""The most confident traces, of which the exact share is reported."""
EXACT = ("exact", "exact_on_erroneous", "exact_on_correct", "f1")
BINS = 10
NOTHING = float("nan")


@dataclass(slots=True)
class Sample:
    """One entry for each trace, and one for each judged step with a value."""

    problems: dict[str, int] = field(default_factory=dict)
    """Problem id → its number."""
    problem: array[int] = field(default_factory=lambda: array("q"))
    decided: array[int] = field(default_factory=lambda: array("b"))
    hit: array[int] = field(default_factory=lambda: array("b"))
    """Whether the first error is exact; what is undecided is no hit."""
    wrong: array[int] = field(default_factory=lambda: array("b"))
    """Whether there is a first error."""
    confidence: array[float] = field(default_factory=lambda: array("d"))
    """NaN where the label has none."""
    steps: array[int] = field(default_factory=lambda: array("q"))
    """Judged steps of each problem."""
    agreeing: array[int] = field(default_factory=lambda: array("q"))
    """Of them, those whose label agrees with the truth."""
    step_problem: array[int] = field(default_factory=lambda: array("q"))
    """This and the next two have an entry for each judged step that has a value."""
    right: array[int] = field(default_factory=lambda: array("b"))
    """Whether the trace is right up to the step."""
    value: array[float] = field(default_factory=lambda: array("d"))
    """What the step was given for that."""

    def number(self, problem: str) -> int:
        number = self.problems.setdefault(problem, len(self.problems))
        if number == len(self.steps):
            self.steps.append(0)
            self.agreeing.append(0)
        return number

    def add_trace(
        self, problem: str, *, decided: bool, hit: bool, wrong: bool, confidence: float | None
    ) -> None:
        self.problem.append(self.number(problem))
        self.decided.append(decided)
        self.hit.append(hit)
        self.wrong.append(wrong)
        self.confidence.append(NOTHING if confidence is None else confidence)

    def add_step(self, problem: str, *, agreeing: bool, right: bool, value: float | None) -> None:
        number = self.number(problem)
        self.steps[number] += 1
        self.agreeing[number] += agreeing
        if value is not None:
            self.step_problem.append(number)
            self.right.append(right)
            self.value.append(value)

    @property
    def confidences(self) -> list[tuple[float, bool]]:
        pairs = zip(self.confidence, self.hit, strict=True)
        return [(confidence, bool(hit)) for confidence, hit in pairs if confidence == confidence]


class Measures:
    """The figures of a sample under weights. What does not change with them is made ready once."""

    names = (
        *(f"{name}{ending}" for ending in ("", "_decided") for name in EXACT),
        *("step_accuracy", "step_auc", "step_brier", "ece"),
        *(f"exact_at_most_confident_{round(100 * share)}" for share in SHARES),
    )

    def __init__(self, sample: Sample) -> None:
        self.problem = np.array(sample.problem, dtype=np.int64)
        self.decided = np.array(sample.decided, dtype=float)
        self.hit = np.array(sample.hit, dtype=float)
        self.wrong = np.array(sample.wrong, dtype=float)
        confidence = np.array(sample.confidence)
        sure = np.flatnonzero(~np.isnan(confidence))
        sure = sure[np.argsort(-confidence[sure], kind="stable")]
        self.sure, self.confidence = sure, confidence[sure]
        self.bins = np.minimum((self.confidence * BINS).astype(int), BINS - 1)
        self.sure_groups = _groups(self.confidence)
        step_problem = np.array(sample.step_problem, dtype=np.int64)
        problems = len(sample.problems)
        self.steps = np.array(sample.steps, dtype=float)
        self.agreeing = np.array(sample.agreeing, dtype=float)
        value, right = np.array(sample.value), np.array(sample.right, dtype=float)
        valued = np.argsort(value, kind="stable")
        self.value_groups = _groups(value[valued])
        self.valued_problem, self.right = step_problem[valued], right[valued]
        self.valued = np.bincount(self.valued_problem, minlength=problems)
        squares = (value[valued] - self.right) ** 2
        self.squares = np.bincount(self.valued_problem, squares, problems)

    def __call__(self, weights: Any) -> dict[str, float]:
        traces = weights[self.problem]
        figures = {}
        for ending, counted in (("", traces), ("_decided", traces * self.decided)):
            wrong = _mean(self.hit, counted * self.wrong)
            right = _mean(self.hit, counted * (1 - self.wrong))
            figures[f"exact{ending}"] = _mean(self.hit, counted)
            figures[f"exact_on_erroneous{ending}"] = wrong
            figures[f"exact_on_correct{ending}"] = right
            figures[f"f1{ending}"] = _harmonic(wrong, right)
        figures["step_accuracy"] = _ratio(weights @ self.agreeing, weights @ self.steps)
        figures["step_auc"] = self._auc(weights[self.valued_problem])
        figures["step_brier"] = _ratio(weights @ self.squares, weights @ self.valued)
        sure = traces[self.sure]
        figures["ece"] = self.calibration_error(self.hit[self.sure], sure)
        for share in SHARES:
            name = f"exact_at_most_confident_{round(100 * share)}"
            figures[name] = self._most_confident(share, sure)
        return figures

    def problems_behind(self, name: str) -> int:
        """How many problems a share of traces rests on; of F1, the fewer of its two shares."""
        base = name.removesuffix("_decided")
        if base.startswith("f1"):
            ending = name.removeprefix("f1")
            shares = (f"exact_on_erroneous{ending}", f"exact_on_correct{ending}")
            return min(map(self.problems_behind, shares))
        taken = self.decided > 0 if base != name else self.decided >= 0
        if base != "exact":
            taken = taken & (self.wrong == (base == "exact_on_erroneous"))
        return len(np.unique(self.problem[taken]))

    def calibration_error(self, hits: object, weights: Any) -> float:
        """Mean distance of confidence and exact share over ten bins of equal width."""
        if not weights.sum():
            return NOTHING
        off = np.bincount(self.bins, weights * (self.confidence - hits), BINS)
        return float(np.abs(off).sum() / weights.sum())

    def calibration_error_by_chance(self, replicates: int, seed: int) -> Any:
        """What chance alone makes of it where every confidence is exactly true, draw by draw."""
        chance = np.random.default_rng(seed)
        ones = np.ones(len(self.confidence))
        return np.array(
            [
                self.calibration_error(chance.random(len(ones)) < self.confidence, ones)
                for _ in range(replicates)
            ]
        )

    def _auc(self, weights: object) -> float:
        """How often, of a right and a wrong step, the right one has more; ties count half."""
        right = _sums(weights * self.right, self.value_groups)
        wrong = _sums(weights, self.value_groups) - right
        if not right.sum() or not wrong.sum():
            return NOTHING
        above = right.sum() - np.cumsum(right) + 0.5 * right
        return float((wrong * above).sum() / (right.sum() * wrong.sum()))

    def _most_confident(self, share: float, weights: object) -> float:
        """The exact share of the most confident; of those that tie at the border, the mean."""
        sizes = _sums(weights, self.sure_groups)
        hits = _sums(weights * self.hit[self.sure], self.sure_groups)
        wanted = np.round(share * sizes.sum())
        if not wanted:
            return NOTHING
        before = np.cumsum(sizes) - sizes
        taken = np.clip(wanted - before, 0, sizes)
        parts = np.divide(taken, sizes, out=np.zeros_like(taken), where=sizes > 0)
        return float((parts * hits).sum() / wanted)


def _groups(ordered: Any) -> object:
    """Where runs of equal values begin."""
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _sums(weights: Any, groups: Any) -> Any:
    return np.add.reduceat(weights, groups) if len(groups) else np.zeros(0)


def _mean(values: object, weights: Any) -> float:
    return _ratio((values * weights).sum(), weights.sum())


def _ratio(part: object, whole: Any) -> float:
    return float(part / whole) if whole else NOTHING


def _harmonic(a: float, b: float) -> float:
    """NaN where one of them is."""
    return 2 * a * b / (a + b) if a + b != 0 else 0.0
