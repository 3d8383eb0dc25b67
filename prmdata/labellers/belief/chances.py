"""Arithmetic of beliefs: rates on small grids, and what counts say of them, in logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SURE = 1e-12
"""Stands for no chance at all, where a logarithm is taken."""


def with_seen(rate: Array, worth: float | Array, count: Array, of: Array) -> Array:
    mixed: Array = (rate * worth + count) / (worth + of)
    return mixed


def chance(rate: Array, worth: float | Array, yes: Array, no: Array) -> Array:
    """The log-probability of counts: the predictions above, multiplied up."""
    log: Array = _rising(rate * worth, yes) + _rising((1 - rate) * worth, no)
    return log - _rising(np.broadcast_to(worth, rate.shape), yes + no)


def _rising(start: Array, count: Array) -> Array:
    """log(start) + log(start + 1) + …, `count` terms."""
    total: Array = np.zeros(np.broadcast_shapes(start.shape, count.shape))
    for i in range(int(count.max(initial=0))):
        total += np.log(np.where(i < count, start + i, 1.0))
    return total


def information(outcomes: Array, p: Array) -> Array:
    """Bits that outcomes (…, how, f) tell about f; probabilities may miss a rest."""
    mean = over_last(outcomes, p)
    with_f = over_last(outcomes * np.log2(np.maximum(outcomes, SURE)), p)
    told: Array = (with_f - mean * np.log2(np.maximum(mean, SURE))).sum(-1)
    return told


def over_last(left: Array, right: Array) -> Array:
    """left @ right.T, without BLAS: its threads cost more than they give at these sizes."""
    product: Array = np.einsum("...k,...k->..." if right.ndim == 1 else "tk,fk->tf", left, right)
    return product


def log_sum(log: Array) -> Array:
    """Over the last axis."""
    top = log.max(-1, keepdims=True)
    total: Array = (top + np.log(np.exp(log - top).sum(-1, keepdims=True)))[..., 0]
    return total


def normal(log: Array, axis: int) -> Array:
    weights = np.exp(log - log.max(axis, keepdims=True))
    shares: Array = weights / weights.sum(axis, keepdims=True)
    return shares


def sigmoid(x: Array) -> Array:
    values: Array = 1 / (1 + np.exp(-x))
    return values
