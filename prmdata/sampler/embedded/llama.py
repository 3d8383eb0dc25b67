"""The forward pass of a plain Llama on numpy; shapes are as in `prmdata.sampler.local.llama`.

Bits: products of rows are steady (`products.py`), those of attention have shapes that company does
not change, and sums over places run stride by stride: longer neighbours add zeros at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prmdata.sampler.embedded.cache import STRIDE, Cache, Prompt
from prmdata.sampler.embedded.draw import draw
from prmdata.sampler.embedded.likely import add
from prmdata.sampler.embedded.products import steady
from prmdata.sampler.embedded.threads import TILE, Rows
from prmdata.sampler.embedded.weights import Array, Layer, Weights
from prmdata.sampler.local.scoring import Places
from prmdata.sampler.local.sequences import Draws

ABREAST = 8
"""Blocks that are computed at a time."""


@dataclass(frozen=True)
class Block:
    """What some tokens in a row leave in the cache, after all that stood before them."""

    layers: list[tuple[Array, Array]]
    hidden_TD: Array


class Llama:
    stride = STRIDE
    fewest_rows = TILE

    def __init__(self, config: dict[str, Any], weights: Weights, threads: int) -> None:
        self.context: int = config["max_position_embeddings"]
        self._heads: int = config["num_attention_heads"]
        self._head: int = config["hidden_size"] // self._heads
        self._epsilon: float = config["rms_norm_eps"]
        self._weights, self._rows = weights, Rows(threads)
        with self._rows.single():
            self._product = steady([*weights.layers[0].matrices, weights.head])
        exponent = np.arange(0, self._head, 2, dtype=np.float32) / np.float32(self._head)
        frequency = np.float32(1) / np.float32(config["rope_theta"]) ** exponent
        angle = np.arange(self.context + STRIDE, dtype=np.float32)[:, None] * frequency
        self._cos, self._sin = np.cos(angle), np.sin(angle)

    def cache(self) -> Cache:
        return Cache(len(self._weights.layers), self._heads, self._head)

    def blocks(self, asked: Sequence[tuple[Sequence[int], Sequence[Block]]]) -> list[Block]:
        """At most `stride` tokens each, after equally many whole blocks each."""
        made: list[Block] = []
        for first in range(0, len(asked), ABREAST):
            made += self._abreast(asked[first : first + ABREAST])
        return made

    def prompts(self, parts: Sequence[Sequence[Block]]) -> list[Prompt]:
        logits_BV = self._logits(np.stack([blocks[-1].hidden_TD[-1] for blocks in parts]))
        return [Prompt(_whole(b), row_V) for b, row_V in zip(parts, logits_BV, strict=True)]

    def places(self, blocks: Sequence[Block], ids: Sequence[int], first: int, top: int) -> Places:
        """What it thinks of each token from `first` on, given those before it."""
        hidden_TD = np.concatenate([block.hidden_TD for block in blocks])[first - 1 : -1]
        found = Places()
        add(found, self._logits(hidden_TD), ids[first:], top)
        return found

    def step(self, ids: Sequence[int], positions: Sequence[int], cache: Cache) -> Array:
        """One token further for the first rows of the cache; the logits after it."""
        count = len(ids)
        spare = -count % TILE
        ids_B = np.array([*ids, *[0] * spare])
        positions_B = np.array([*positions, *[0] * spare])

        def part(start: int, end: int) -> Array:
            rows = slice(start, end)
            return self._step(ids_B[rows], positions_B[rows], cache, rows)

        return self._rows.compute(count + spare, part)[:count]

    def joined(self, prompts: Sequence[Prompt]) -> Array:
        """The logits after each prompt."""
        return np.stack([prompt.logits_V for prompt in prompts])

    def draw(self, logits_BV: Array, draws: Draws) -> tuple[list[int], list[float]]:
        return draw(logits_BV, draws)

    def _step(
        self, ids_B: NDArray[np.int64], positions_B: NDArray[np.int64], cache: Cache, rows: slice
    ) -> Array:
        cos, sin = self._cos[positions_B][:, None, None], self._sin[positions_B][:, None, None]
        unseen = (np.arange(cache.length) > positions_B[:, None])[:, None, None]
        x_BD = self._weights.embed[ids_B]
        own = np.arange(rows.start, rows.stop)
        for number, layer in enumerate(self._weights.layers):
            q, k, v = self._projected(layer, x_BD[:, None], cos, sin)
            keys, values = cache.keys(number), cache.values(number)
            keys[own, :, positions_B] = k[:, :, 0]
            values[own, :, positions_B] = v[:, :, 0]
            seen = slice(cache.length)
            mixed = _attend(q, keys[rows, :, seen], values[rows, :, seen], unseen)
            x_BD = self._rest(layer, x_BD, mixed[:, :, 0].reshape(x_BD.shape))
        return self._normed_logits(x_BD)

    def _abreast(self, asked: Sequence[tuple[Sequence[int], Sequence[Block]]]) -> list[Block]:
        """Always computed as whole blocks: the bits of one are the same whoever asks for it,
        in whatever company, and whatever follows."""
        start = len(asked[0][1]) * STRIDE
        end = start + STRIDE
        ids_BT = np.array([[*ids, *[0] * (STRIDE - len(ids))] for ids, _ in asked])
        cos, sin = self._cos[start:end], self._sin[start:end]
        unseen = np.arange(end) > np.arange(start, end)[:, None]
        x_BTD = self._weights.embed[ids_BT]
        layers = []
        for number, layer in enumerate(self._weights.layers):
            q, k, v = self._projected(layer, x_BTD, cos, sin)
            layers.append((k, v))
            if start:
                past = [_joined([block.layers[number] for block in before]) for _, before in asked]
                k = np.concatenate([np.stack([key for key, _ in past]), k], 2)
                v = np.concatenate([np.stack([value for _, value in past]), v], 2)
            mixed = _attend(q, k, v, unseen).transpose(0, 2, 1, 3).reshape(x_BTD.shape)
            x_BTD = self._rest(layer, x_BTD, mixed)
        return [
            Block(
                [(k[i, :, : len(ids)].copy(), v[i, :, : len(ids)].copy()) for k, v in layers],
                x_BTD[i, : len(ids)].copy(),
            )
            for i, (ids, _) in enumerate(asked)
        ]

    def _projected(
        self, layer: Layer, x_BTD: Array, cos: Array, sin: Array
    ) -> tuple[Array, Array, Array]:
        B, T, D = x_BTD.shape
        normed = self._norm(x_BTD, layer.before).reshape(B * T, D)
        joined = self._product(normed, layer.qkv)
        heads = joined.reshape(B, T, 3, self._heads, self._head).transpose(2, 0, 3, 1, 4)
        return _rotated(heads[0], cos, sin), _rotated(heads[1], cos, sin), heads[2]

    def _rest(self, layer: Layer, x: Array, mixed: Array) -> Array:
        flat = mixed.reshape(-1, mixed.shape[-1])
        x = x + self._product(flat, layer.out).reshape(x.shape)
        both = self._product(self._norm(x, layer.between).reshape(flat.shape), layer.gate_up)
        gate, up = np.split(both, 2, -1)
        passed: Array = x + self._product(_silu(gate) * up, layer.down).reshape(x.shape)
        return passed

    def _norm(self, x: Array, weight: Array) -> Array:
        mean = np.mean(x * x, -1, keepdims=True)
        normed: Array = x / np.sqrt(mean + np.float32(self._epsilon)) * weight
        return normed

    def _logits(self, x_BD: Array) -> Array:
        """Of any number of rows."""
        count = len(x_BD)
        padded = np.concatenate([x_BD, np.zeros((-count % TILE, x_BD.shape[1]), np.float32)])
        return self._normed_logits(padded)[:count]

    def _normed_logits(self, x_BD: Array) -> Array:
        return self._product(self._norm(x_BD, self._weights.norm), self._weights.head)


def _attend(q: Array, k: Array, v: Array, unseen: NDArray[np.bool_]) -> Array:
    """Sums over places go stride by stride, from the first."""
    scores = np.matmul(q * np.float32(q.shape[-1] ** -0.5), k.swapaxes(-1, -2))
    np.putmask(scores, np.broadcast_to(unseen, scores.shape), np.float32(-np.inf))
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    mixed = np.zeros_like(q)
    mass = np.zeros((*q.shape[:-1], 1), np.float32)
    for start in range(0, scores.shape[-1], STRIDE):
        part = scores[..., start : start + STRIDE]
        mixed += np.matmul(part, v[..., start : start + STRIDE, :])
        mass += part.sum(-1, keepdims=True)
    mixed /= mass
    return mixed


def _rotated(x: Array, cos: Array, sin: Array) -> Array:
    low, high = np.split(x, 2, -1)
    return np.concatenate([low * cos - high * sin, high * cos + low * sin], -1)


def _silu(x: Array) -> Array:
    with np.errstate(over="ignore"):
        found: Array = x / (1 + np.exp(-x))
    return found


def _joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.concatenate([k for k, _ in parts], 1), np.concatenate([v for _, v in parts], 1)


def _whole(blocks: Sequence[Block]) -> list[tuple[Array, Array]]:
    """Keys and values of all blocks, by layer."""
    return [_joined(parts) for parts in zip(*(block.layers for block in blocks), strict=True)]
