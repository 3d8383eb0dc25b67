"""The likeliest tokens of a place, for engines that do not show the whole vocabulary."""

from __future__ import annotations

import math
from collections.abc import Sequence

from prmdata.sampler.protocol import Likely


def likely(places: Sequence[Likely], top: int) -> tuple[tuple[Likely, ...], tuple[float, ...]]:
    """The `top` likeliest of each place, and their entropy when scaled to sum to one."""
    if not top:
        return (), ()
    best = tuple(tuple(sorted(place, key=lambda one: -one[1])[:top]) for place in places)
    return best, tuple(_entropy([p for _, p in place]) for place in best)


def _entropy(logprobs: Sequence[float]) -> float:
    mass = sum(map(math.exp, logprobs))
    return -sum(math.exp(p) / mass * (p - math.log(mass)) for p in logprobs if mass)
