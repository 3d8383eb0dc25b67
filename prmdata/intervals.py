"""Intervals for what was measured on a sample of problems."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

LEVEL = 0.95
REPLICATES = 1000
DEVIATIONS = 1.959964
"""Of the normal distribution, on each side of `LEVEL`."""


def wilson(hits: float, n: float, deviations: float) -> tuple[float, float]:
    """The interval that holds the true share of hits."""
    if n == 0:
        return 0.0, 1.0
    z = deviations**2
    middle = (hits + z / 2) / (n + z)
    half = deviations / (n + z) * math.sqrt(hits * (n - hits) / n + z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def clustered_wilson(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The interval of a share where hits come in clusters: (hits, of) for each problem.

    Traces of one problem are right or wrong together, so n of them tell less than n problems
    would: n is divided by the design effect. Where all are hits, or none, that cannot be
    estimated, and only the problems count.
    """
    counts = [(hits, of) for hits, of in counts if of]
    hits, n = sum(h for h, _ in counts), sum(of for _, of in counts)
    if not n:
        return 0.0, 1.0
    share = hits / n
    if share in (0, 1) or len(counts) < 2:
        effective = float(len(counts))
    else:
        spread = sum((h - share * of) ** 2 for h, of in counts) * len(counts) / (len(counts) - 1)
        if_single = n * share * (1 - share) * n / (n - 1)
        effective = n / max(spread / if_single, 1.0)
    return wilson(share * effective, effective, DEVIATIONS)


def bootstrap(
    problems: int,
    measure: Callable[[object], Mapping[str, float]],
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of figures that `measure` takes of a weight for each problem.

    Problems are drawn with replacement, each with all its traces. A figure that cannot be taken
    of a draw (NaN) is left out of it.
    """
    import numpy as np

    if problems < 2:
        return {}
    chance = np.random.default_rng(seed)
    drawn = [
        measure(
            np.bincount(chance.integers(0, problems, problems), minlength=problems).astype(float)
        )
        for _ in range(replicates)
    ]
    found = {}
    for name in drawn[0]:
        values = np.array([figures[name] for figures in drawn])
        values = values[~np.isnan(values)]
        if len(values):
            low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            found[name] = (float(low), float(high))
    return found
