"""A Llama in forty lines, for training: the fused form of what the Hugging Face folder holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    width: int = 256
    layers: int = 4
    heads: int = 8
    inner: int = 704
    context: int = 1024
    theta: float = 10_000.0

    @property
    def head(self) -> int:
        return self.width // self.heads


class Norm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), 1e-5)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.before, self.between = Norm(shape.width), Norm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)
        self.gate_up = nn.Linear(shape.width, 2 * shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        B, T, _ = x.shape
        heads = self.qkv(self.before(x)).view(B, T, 3 * self.shape.heads, self.shape.head)
        q, k, v = heads.transpose(1, 2).chunk(3, 1)
        q, k = rotated(q, cos, sin), rotated(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(B, T, -1))
        gate, up = self.gate_up(self.between(x)).chunk(2, -1)
        mapped: Tensor = self.down(F.silu(gate) * up)
        return x + mapped


class Network(nn.Module):
    cos: Tensor
    sin: Tensor
    emphasis: Tensor | None
    """How much each token of the vocabulary counts, where they do not count alike."""

    def __init__(self, shape: Shape, emphasis: Tensor | None = None) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("emphasis", emphasis, persistent=False)
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)
        frequency = 1 / shape.theta ** (torch.arange(0, shape.head, 2).float() / shape.head)
        angle = torch.arange(shape.context).float()[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                spread = 0.5 / math.sqrt(weight.shape[1])
                if "out." in name or "down." in name:
                    spread /= math.sqrt(2 * shape.layers)
                nn.init.normal_(weight, std=0.02 if "embed" in name else spread)

    def forward(self, ids_BT: Tensor, targets_BT: Tensor) -> Tensor:
        x = self.embed(ids_BT)
        T = ids_BT.shape[1]
        cos, sin = self.cos[:T].to(x.dtype), self.sin[:T].to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = F.linear(self.norm(x), self.embed.weight.to(x.dtype)).float()
        return F.cross_entropy(
            logits.flatten(0, 1), targets_BT.flatten(), self.emphasis, ignore_index=-100
        )
