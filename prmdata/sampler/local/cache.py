"""Keys and values of the sequences that run, one a row, packed to the longest of them."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from prmdata.sampler.local.weights import Shape

STRIDE = 32
"""Tokens by which rows grow and shrink."""


@dataclass(frozen=True)
class Prompt:
    """A computed prompt: what its tokens leave in the cache, and the logits after the last."""

    layers: list[tuple[Tensor, Tensor]]
    logits_V: Tensor

    @property
    def length(self) -> int:
        return self.layers[0][0].shape[1]


class Cache:
    """Packed, because products over a slice of longer rows take twice the time.

    The length follows the longest sequence in strides; memory is taken once, and what is not
    touched costs nothing.
    """

    def __init__(self, shape: Shape, dtype: torch.dtype, device: torch.device) -> None:
        self.shape, self.dtype, self.device = shape, dtype, device
        self.rows = self.length = 0
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self._room: list[Tensor] = []
        self._scratch = torch.empty(0)

    def fit(self, rows: int, longest: int, used: int) -> None:
        """Room for `rows` sequences of up to `longest` tokens; the first `used` rows are kept."""
        if rows <= self.rows and 0 <= self.length - longest < 2 * STRIDE:
            return
        new_rows = max(self.rows, 1 << (rows - 1).bit_length())
        new_length = min(-(-longest // STRIDE) * STRIDE, self.shape.context)
        old = [*self.keys, *self.values]
        size = (new_rows, self.shape.kv_heads, new_length, self.shape.head)
        needed = math.prod(size)
        room = self._room
        if not room or needed > room[0].numel():
            grown = max(needed, 2 * room[0].numel() if room else 0)
            room = [self._taken(grown) for _ in range(2 * self.shape.layers)]
            self._scratch = self._taken(grown)
        kept = min(self.length, new_length)
        fresh = []
        for index, flat in enumerate(room):
            part = flat[:needed].view(size)
            if used and old:
                passing = self._scratch[: used * kept * size[1] * size[3]]
                passing = passing.view(used, size[1], kept, size[3])
                passing.copy_(old[index][:used, :, :kept])
                part[:used, :, :kept] = passing
            fresh.append(part)
        self._room = room
        self.keys, self.values = fresh[: self.shape.layers], fresh[self.shape.layers :]
        self.rows, self.length = new_rows, new_length

    def move(self, source: int, target: int, length: int) -> None:
        for part in (*self.keys, *self.values):
            part[target, :, :length] = part[source, :, :length]

    def put(self, row: int, prompt: Prompt) -> None:
        for layer, (key, value) in enumerate(prompt.layers):
            self.keys[layer][row, :, : prompt.length] = key
            self.values[layer][row, :, : prompt.length] = value

    def _taken(self, numbers: int) -> Tensor:
        return torch.zeros(numbers, dtype=self.dtype, device=self.device)
