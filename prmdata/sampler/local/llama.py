"""The forward pass of Llama and its close kin: Mistral, Qwen2 (biases), Qwen3 (normed heads).

Prompts are computed in blocks, several abreast; a step reads and writes rows of the cache.
"""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from prmdata.sampler.local.cache import STRIDE, Cache, Prompt
from prmdata.sampler.local.draw import chosen
from prmdata.sampler.local.likely import add
from prmdata.sampler.local.rotation import rotated, rotations
from prmdata.sampler.local.scoring import ROWS, Places
from prmdata.sampler.local.sequences import Draws
from prmdata.sampler.local.weights import Shape, Weights

ABREAST = 8
"""Blocks that are computed at a time."""


@dataclass(frozen=True)
class Block:
    """What some tokens in a row leave in the cache, after all that stood before them."""

    layers: list[tuple[Tensor, Tensor]]
    hidden_TD: Tensor


class Llama:
    def __init__(self, shape: Shape, weights: Weights) -> None:
        self.shape, self._weights = shape, weights
        self.dtype, self.device = weights.embed.dtype, weights.embed.device
        # Bitwise, on a CPU: attention by plain products in float32 (also twice as fast as the
        # fused kernel in bfloat16), and never so few float32 rows that another kernel takes over.
        self.plain = self.device.type == "cpu"
        self.kept = torch.float32 if self.plain else self.dtype
        self.fewest_rows = 16 if self.plain and self.dtype == torch.float32 else 1
        self.stride = STRIDE if self.plain else 8 * STRIDE
        self._cos, self._sin = rotations(shape, self.stride, self.dtype, self.device)

    @property
    def context(self) -> int:
        return self.shape.context

    def cache(self) -> Cache:
        return Cache(self.shape, self.kept, self.device)

    def joined(self, prompts: Sequence[Prompt]) -> Tensor:
        """The logits after each prompt."""
        return torch.stack([prompt.logits_V for prompt in prompts])

    def draw(self, logits_BV: Tensor, draws: Draws) -> tuple[list[int], list[float]]:
        return chosen(logits_BV, draws)

    @torch.inference_mode()
    def blocks(self, asked: Sequence[tuple[Sequence[int], Sequence[Block]]]) -> list[Block]:
        """At most `stride` tokens each, after equally many whole blocks each."""
        made: list[Block] = []
        for first in range(0, len(asked), ABREAST):
            made += self._abreast(asked[first : first + ABREAST])
        return made

    @torch.inference_mode()
    def prompts(self, parts: Sequence[Sequence[Block]]) -> list[Prompt]:
        last_BD = torch.stack([blocks[-1].hidden_TD[-1] for blocks in parts])
        logits_BV = self._logits(last_BD[:, None])[:, 0]
        return [Prompt(_whole(b), row_V) for b, row_V in zip(parts, logits_BV, strict=True)]

    @torch.inference_mode()
    def places(self, blocks: Sequence[Block], ids: Sequence[int], first: int, top: int) -> Places:
        """What it thinks of each token from `first` on, given those before it."""
        hidden_TD = torch.cat([block.hidden_TD for block in blocks])[first - 1 : -1]
        found = Places()
        for start in range(0, len(hidden_TD), ROWS):
            part_TD = hidden_TD[start : start + ROWS]
            standing = ids[first + start : first + start + len(part_TD)]
            add(found, self._logits(part_TD[None])[0], standing, top)
        return found

    @torch.inference_mode()
    def step(self, ids: Sequence[int], positions: Sequence[int], cache: Cache) -> Tensor:
        """One token further for the first B rows of the cache; the logits after it."""
        B = len(ids)
        ids_B = torch.tensor(ids, device=self.device)
        positions_B = torch.tensor(positions, device=self.device)
        x_B1D = self._weights.embed[ids_B][:, None]
        cos, sin = self._cos[positions_B][:, None, None], self._sin[positions_B][:, None, None]
        places = torch.arange(cache.length, device=self.device)[None]
        mask_B11T = self._mask(self._seen(places, positions_B[:, None]))[:, None, None]
        rows = torch.arange(B, device=self.device)
        for layer in range(self.shape.layers):
            q, k, v = self._heads(layer, x_B1D, cos, sin)
            keys, values = cache.keys[layer], cache.values[layer]
            keys[rows, :, positions_B] = k[:, :, 0].to(self.kept)
            values[rows, :, positions_B] = v[:, :, 0].to(self.kept)
            mixed = self._attend(q, keys[:B], values[:B], mask_B11T)
            x_B1D = self._rest(layer, x_B1D, mixed)
        return self._logits(x_B1D)[:, 0]

    def _abreast(self, asked: Sequence[tuple[Sequence[int], Sequence[Block]]]) -> list[Block]:
        """Always computed as whole blocks: the bits of one are the same whoever asks for it,
        in whatever company, and whatever follows."""
        start = len(asked[0][1]) * self.stride
        end = start + self.stride
        padded = [[*ids, *[0] * (self.stride - len(ids))] for ids, _ in asked]
        x = self._weights.embed[torch.tensor(padded, device=self.device)]
        cos, sin = self._cos[start:end], self._sin[start:end]
        own = torch.arange(start, end, device=self.device)[:, None]
        places = torch.arange(end, device=self.device)[None]
        mask = self._mask(self._seen(places, own))[None, None]
        layers = []
        for layer in range(self.shape.layers):
            q, k, v = self._heads(layer, x, cos, sin)
            k, v = k.to(self.kept), v.to(self.kept)
            layers.append((k, v))
            if start:
                past = [_joined([block.layers[layer] for block in before]) for _, before in asked]
                k = torch.cat([torch.stack([key for key, _ in past]), k], 2)
                v = torch.cat([torch.stack([value for _, value in past]), v], 2)
            x = self._rest(layer, x, self._attend(q, k, v, mask))
        return [
            Block(
                [(k[i, :, : len(ids)].clone(), v[i, :, : len(ids)].clone()) for k, v in layers],
                x[i, : len(ids)].clone(),
            )
            for i, (ids, _) in enumerate(asked)
        ]

    def _seen(self, places: Tensor, own: Tensor) -> Tensor:
        seen = places <= own
        if self.shape.window:
            seen &= places > own - self.shape.window
        return seen

    def _mask(self, seen: Tensor) -> Tensor:
        mask = torch.zeros(seen.shape, dtype=self.kept, device=self.device)
        return mask.masked_fill_(~seen, float("-inf"))

    def _heads(
        self, layer: int, x: Tensor, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        shape, own = self.shape, self._weights.layers[layer]
        B, T, _ = x.shape
        joined = F.linear(self._norm(x, own["before"]), own["qkv"], own.get("qkv_bias"))
        heads = joined.view(B, T, shape.heads + 2 * shape.kv_heads, shape.head).transpose(1, 2)
        parts = [shape.heads, shape.kv_heads, shape.kv_heads]
        q, k, v = torch.split(heads, parts, 1)
        if "q_norm" in own:
            q, k = self._norm(q, own["q_norm"]), self._norm(k, own["k_norm"])
        return rotated(q, cos, sin), rotated(k, cos, sin), v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        grouped = self.shape.heads != self.shape.kv_heads
        if not self.plain:
            mixed: Tensor = F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, enable_gqa=grouped
            )
            return mixed
        q, k, v = q.float(), k.float(), v.float()
        if grouped:
            times = self.shape.heads // self.shape.kv_heads
            k, v = k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)
        scores = torch.matmul(q * self.shape.head**-0.5, k.transpose(-1, -2)).add_(mask)
        return torch.matmul(torch.softmax(scores, -1), v).to(self.dtype)

    def _rest(self, layer: int, x: Tensor, mixed: Tensor) -> Tensor:
        own = self._weights.layers[layer]
        B, T, _ = x.shape
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, -1), own["out"])
        gate, up = F.linear(self._norm(x, own["between"]), own["gate_up"]).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, own["down"])

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), weight, self.shape.epsilon)

    def _logits(self, x: Tensor) -> Tensor:
        x = self._norm(x, self._weights.norm)
        rows = x.shape[0] * x.shape[1]
        if rows >= self.fewest_rows:
            return F.linear(x, self._weights.head).float()
        flat = F.pad(x.flatten(0, 1), (0, 0, 0, self.fewest_rows - rows))
        return F.linear(flat, self._weights.head)[:rows].view(*x.shape[:2], -1).float()


def _joined(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([k for k, _ in parts], 1), torch.cat([v for _, v in parts], 1)


def _whole(blocks: Sequence[Block]) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of all blocks, by layer."""
    return [_joined(parts) for parts in zip(*(block.layers for block in blocks), strict=True)]
