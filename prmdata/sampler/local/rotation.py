"""Rotary positions: the angles of each place, and heads turned by them."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from prmdata.sampler.local.weights import Shape, scaling


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def rotations(
    shape: Shape, beyond: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of every place in the context and `beyond`."""
    kind = scaling(shape.rope)
    exponent = torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head
    frequency = 1.0 / shape.rope["rope_theta"] ** exponent
    if kind == "llama3":
        frequency = _llama3(frequency, shape.rope)
    elif kind == "linear":
        frequency = frequency / shape.rope["factor"]
    angle = torch.arange(shape.context + beyond, dtype=torch.float32)[:, None] * frequency
    return angle.cos().to(device, dtype), angle.sin().to(device, dtype)


def _llama3(frequency: Tensor, rope: dict[str, Any]) -> Tensor:
    """Slow rotations are stretched by `factor`, fast ones kept, those between blended."""
    old, factor = rope["original_max_position_embeddings"], rope["factor"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    wave = 2 * math.pi / frequency
    blend = ((old / wave - low) / (high - low)).clamp(0, 1)
    stretched: Tensor = (1 - blend) * frequency / factor + blend * frequency
    return stretched
