"""Intervals for measured shares."""

from __future__ import annotations

import math


def wilson(hits: int, n: int, deviations: float) -> tuple[float, float]:
    """The interval that holds the true share of hits."""
    if n == 0:
        return 0.0, 1.0
    z = deviations**2
    middle = (hits + z / 2) / (n + z)
    half = deviations / (n + z) * math.sqrt(hits * (n - hits) / n + z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)
