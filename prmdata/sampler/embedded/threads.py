"""Cores, shared by rows: each thread computes some of them from end to end.

BLAS's own threads meet after every small product, and wait for each other in a busy loop: on a
machine that does anything else, that takes many times as long.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import numpy as np

from prmdata.sampler.embedded.weights import Array

TILE = 16
"""Rows come in multiples of this, which is what fast kernels of BLAS take at a time; for what is
left over, others would take over."""


def cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Rows:
    """Splits rows, a multiple of `TILE`, among threads."""

    def __init__(self, threads: int) -> None:
        from threadpoolctl import ThreadpoolController

        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "prmdata-rows") if threads > 1 else None
        self._blas = ThreadpoolController().select(user_api="blas")

    def single(self) -> AbstractContextManager[object]:
        """Within it, BLAS takes one thread."""
        limited: AbstractContextManager[object] = self._blas.limit(limits=1)
        return limited

    def compute(self, rows: int, part: Callable[[int, int], Array]) -> Array:
        """`part(start, end)` of all rows, joined."""
        with self.single():
            count = min(self._threads, rows // TILE)
            if self._pool is None or count < 2:
                return part(0, rows)
            edges = [rows // TILE * number // count * TILE for number in range(count + 1)]
            return np.concatenate([*self._pool.map(part, edges, edges[1:])])
