"""Rows times a matrix, where the bits of a row depend on nothing but the row."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from prmdata.sampler.embedded.threads import TILE
from prmdata.sampler.embedded.weights import Array

Product = Callable[[Array, Array], Array]


def together(x_BK: Array, matrix_KN: Array) -> Array:
    product: Array = x_BK @ matrix_KN
    return product


def row_by_row(x_BK: Array, matrix_KN: Array) -> Array:
    """Three times as slow, and certain."""
    product: Array = (x_BK[:, None] @ matrix_KN)[:, 0]
    return product


def steady(matrices: Iterable[Array]) -> Product:
    """The fastest product that is steady here.

    BLAS's kernels differ from machine to machine. With those for AVX2, the last columns of a row
    have other bits in another place of the batch; with those for AVX-512 they never do.
    """
    chance = np.random.default_rng(0)
    for matrix_KN in matrices:
        x_BK = chance.standard_normal((18 * TILE, len(matrix_KN)), dtype=np.float32)
        order = chance.permutation(len(x_BK))
        whole_BN = together(x_BK, matrix_KN)
        if (together(x_BK[order], matrix_KN) != whole_BN[order]).any():
            return row_by_row
        if (together(x_BK[:TILE], matrix_KN) != whole_BN[:TILE]).any():
            return row_by_row
    return together
