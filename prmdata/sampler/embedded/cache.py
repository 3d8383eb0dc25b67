"""Keys and values of the sequences that run, one a row, and of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prmdata.sampler.embedded.threads import TILE
from prmdata.sampler.embedded.weights import Array

STRIDE = 2 * TILE
"""Tokens by which rows grow and shrink, and of a prompt's blocks."""


@dataclass(frozen=True)
class Prompt:
    """A computed prompt: what its tokens leave in the cache, and the logits after the last."""

    layers: Sequence[tuple[Array, Array]]
    logits_V: Array

    @property
    def length(self) -> int:
        return int(self.layers[0][0].shape[1])


class Cache:
    """Arrays with room to grow; what is in use is their first rows and places."""

    def __init__(self, layers: int, heads: int, head: int) -> None:
        self.length = 0
        self._room = [np.zeros((0, heads, 0, head), np.float32) for _ in range(2 * layers)]
        self._layers = layers

    def fit(self, rows: int, longest: int, used: int) -> None:
        """Room for `rows` sequences of up to `longest` tokens; the first `used` rows are kept."""
        rows += -rows % TILE
        self.length = -(-longest // STRIDE) * STRIDE
        has_rows, heads, has_length, head = self._room[0].shape
        if rows <= has_rows and self.length <= has_length:
            return
        size = (_grown(rows, has_rows), heads, _grown(self.length, has_length), head)
        for index, old in enumerate(self._room):
            fresh = np.zeros(size, np.float32)
            fresh[:used, :, :has_length] = old[:used]
            self._room[index] = fresh

    def keys(self, layer: int) -> Array:
        return self._room[layer]

    def values(self, layer: int) -> Array:
        return self._room[self._layers + layer]

    def move(self, source: int, target: int, length: int) -> None:
        for part in self._room:
            part[target, :, :length] = part[source, :, :length]

    def put(self, row: int, prompt: Prompt) -> None:
        for layer, (key, value) in enumerate(prompt.layers):
            self.keys(layer)[row, :, : prompt.length] = key
            self.values(layer)[row, :, : prompt.length] = value


def _grown(wanted: int, has: int) -> int:
    """By half at least, so that growing is rare."""
    return has if wanted <= has else max(wanted, has * 3 // 2)
