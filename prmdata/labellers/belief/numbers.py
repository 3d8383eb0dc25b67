"""Arithmetic of beliefs: rates on small grids, and what counts say of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


def bell(places: Array, middle: float, spread: float) -> Array:
    """Weights of `places` under a normal density."""
    log = -0.5 * ((places - middle) / spread) ** 2
    weights = np.exp(log - log.max())
    shares: Array = weights / weights.sum()
    return shares


def generator_power(rates: Array, time: float) -> Array:
    """exp(rates · time): the transition matrix of a continuous-time chain."""
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(rates).max() * time, 1e-9) / 0.25))))
    small = rates * (time / 2**halvings)
    matrix = term = np.eye(len(rates))
    for order in range(1, 9):
        term = term @ small / order
        matrix = matrix + term
    for _ in range(halvings):
        matrix = matrix @ matrix
    return np.asarray(matrix)


class RisingTable:
    """log Γ(a + n) − log Γ(a) for fixed a and every count n, looked up instead of computed."""

    def __init__(self, start: Array) -> None:
        self.start = start
        self._table = np.zeros((1, *start.shape))

    def __call__(self, count: Counts) -> Array:
        top = int(count.max(initial=0))
        if top >= len(self._table):
            more = np.log(
                self.start + np.arange(max(2 * top, 64)).reshape(-1, *[1] * self.start.ndim)
            )
            self._table = np.concatenate([np.zeros((1, *self.start.shape)), more.cumsum(0)])
        found: Array = self._table[count]
        return found


class BetaBinomial:
    """The log-probability of counts under rates that are each worth so many observations."""

    def __init__(self, rates: Array, worth: float) -> None:
        self.rates, self.worth = rates, worth
        self._yes = RisingTable(rates * worth)
        self._no = RisingTable((1 - rates) * worth)
        self._all = RisingTable(np.array(worth))

    def log(self, yes: Counts, no: Counts) -> Array:
        return self._yes(yes) + self._no(no) - self._all(yes + no)[..., None]

    def next(self, yes: Counts, no: Counts) -> Array:
        """The chance that the next observation is a yes."""
        mean: Array = (self.rates * self.worth + yes[..., None]) / (
            self.worth + (yes + no)[..., None]
        )
        return mean


def normalised(log: Array, axis: int | tuple[int, ...]) -> Array:
    """Weights that sum to one, from their logarithms."""
    weights = np.exp(log - log.max(axis, keepdims=True))
    shares: Array = weights / weights.sum(axis, keepdims=True)
    return shares
