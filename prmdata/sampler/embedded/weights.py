"""A model folder in bfloat16 → matrices in float32, joined for fewer products."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    before: Array
    qkv: Array
    out: Array
    between: Array
    gate_up: Array
    down: Array

    @property
    def matrices(self) -> tuple[Array, ...]:
        return self.qkv, self.out, self.gate_up, self.down


@dataclass(frozen=True)
class Weights:
    embed: Array
    norm: Array
    head: Array
    layers: list[Layer]

    @classmethod
    def read(cls, folder: Path, layers: int) -> Weights:
        raw = _tensors(folder / "model.safetensors")
        embed = raw["model.embed_tokens.weight"]
        return cls(
            embed=embed,
            norm=raw["model.norm.weight"],
            head=_turned(embed),
            layers=[_layer(raw, f"model.layers.{number}.") for number in range(layers)],
        )


def _layer(raw: dict[str, Array], name: str) -> Layer:
    """Matrices that read the same input are multiplied as one."""
    return Layer(
        before=raw[name + "input_layernorm.weight"],
        qkv=_turned(*(raw[f"{name}self_attn.{part}_proj.weight"] for part in "qkv")),
        out=_turned(raw[name + "self_attn.o_proj.weight"]),
        between=raw[name + "post_attention_layernorm.weight"],
        gate_up=_turned(*(raw[f"{name}mlp.{part}_proj.weight"] for part in ("gate", "up"))),
        down=_turned(raw[name + "mlp.down_proj.weight"]),
    )


def _turned(*parts: Array) -> Array:
    """Inputs by outputs, in one piece."""
    return np.ascontiguousarray(np.concatenate(parts).T)


def _tensors(path: Path) -> dict[str, Array]:
    """The format is a length, a JSON header and the numbers; numpy has no bfloat16, which is the
    upper half of a float32."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    tensors: dict[str, Array] = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        halves = np.frombuffer(raw, "<u2", (end - begin) // 2, start + begin)
        tensors[name] = (halves.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])
    return tensors
