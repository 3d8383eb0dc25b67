"""Choosing among samples, and finding faults: figures with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from labels import first_error

from prmdata.records import Trace

READINGS: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "mean": fmean,
    "last": lambda steps: steps[-1],
}
"""How the scores of a trace's steps become one."""
RESAMPLED = 2000
WRONG_BELOW = 0.5
Scores = dict[str, list[float]]
Group = Sequence[Trace]


@dataclass(frozen=True)
class Figure:
    mean: float
    half: float
    """Half of the 95 % interval, drawing problems anew."""
    seeds: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.half:.3f}"

    @property
    def range(self) -> str:
        return f"{min(self.seeds):.3f}–{max(self.seeds):.3f}"


def without_models(groups: Sequence[Group]) -> dict[str, Figure]:
    return {
        "pass@1": mean([fmean(map(right, group)) for group in groups]),
        "majority": mean([majority(group) for group in groups]),
        "pass@n": mean([float(any(map(right, group))) for group in groups]),
    }


def right(trace: Trace) -> bool:
    return trace.correct is True


def majority(group: Group) -> float:
    """Whether the most frequent answer is right; answers that are as frequent share the chance."""
    votes = Counter(trace.answer for trace in group if trace.answer is not None)
    most = max(votes.values(), default=0)
    first = {answer for answer, n in votes.items() if n == most}
    return fmean([any(t.answer == a and right(t) for t in group) for a in first] or [0])


def chosen_by(
    groups: Sequence[Group], seeds: Sequence[Scores], reading: Callable[[Sequence[float]], float]
) -> Figure:
    """The share of problems on which the trace with the highest score is right."""
    shares = [[best(group, scores, reading) for group in groups] for scores in seeds]
    overall = mean([fmean(of_problem) for of_problem in zip(*shares, strict=True)])
    return Figure(overall.mean, overall.half, tuple(map(fmean, shares)))


def best(group: Group, scores: Scores, reading: Callable[[Sequence[float]], float]) -> float:
    read = [reading(scores[trace.id]) for trace in group]
    return fmean(right(t) for t, value in zip(group, read, strict=True) if value == max(read))


def faults(groups: Sequence[Group], seeds: Sequence[Scores]) -> Figure:
    """ProcessBench's F1: the harmonic mean of what is exact among faulty and faultless traces."""
    truths = {trace.id: first_error(trace) for group in groups for trace in group}
    tallies = np.array(
        [[tally([(truths[t.id], said(s[t.id])) for t in group]) for group in groups] for s in seeds]
    )
    chance = np.random.default_rng(0)
    size = len(groups)
    drawn = [chance.integers(size, size=size) for _ in range(RESAMPLED)]
    again = [fmean(f1(one[ids].sum(0)) for one in tallies) for ids in drawn]
    each = tuple(f1(one.sum(0)) for one in tallies)
    return Figure(fmean(each), half_width(again), each)


def said(steps: Sequence[float]) -> int | None:
    return next((i for i, p in enumerate(steps) if p < WRONG_BELOW), None)


def tally(pairs: Sequence[tuple[int | None, int | None]]) -> list[int]:
    faulty = [truth == found for truth, found in pairs if truth is not None]
    faultless = [found is None for truth, found in pairs if truth is None]
    return [sum(faulty), len(faulty), sum(faultless), len(faultless)]


def f1(counts: Sequence[int]) -> float:
    exact, faulty, clean, faultless = map(float, counts)
    shares = exact / max(faulty, 1), clean / max(faultless, 1)
    return 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0


def mean(values: Sequence[float]) -> Figure:
    chance = np.random.default_rng(0)
    drawn = chance.integers(len(values), size=(RESAMPLED, len(values)))
    return Figure(fmean(values), half_width(np.asarray(values)[drawn].mean(1)))


def half_width(values: Sequence[float]) -> float:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(high - low) / 2
