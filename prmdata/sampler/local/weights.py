"""A Llama-like Hugging Face folder → its shape, and its weights joined for fewer products."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from prmdata.errors import SamplerError

KIN = ("llama", "mistral", "qwen2", "qwen3")
SCALINGS = ("default", "linear", "llama3")
UNKNOWN_HERE = ("attention_bias", "mlp_bias", "quantization_config", "use_sliding_window")


@dataclass(frozen=True)
class Shape:
    layers: int
    heads: int
    kv_heads: int
    head: int
    context: int
    epsilon: float
    rope: dict[str, Any]
    window: int | None

    @classmethod
    def of(cls, config: dict[str, Any]) -> Shape:
        qwen = config["model_type"].startswith("qwen")
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
            head=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
            context=config["max_position_embeddings"],
            epsilon=config["rms_norm_eps"],
            rope=_rope(config),
            window=None if qwen else config.get("sliding_window"),
        )


def written_out(config: dict[str, object]) -> bool:
    """Whether the forward pass in `llama.py` is this model's; if not, transformers has it."""
    rope = _rope(config)
    return (
        config.get("model_type") in KIN
        and config.get("hidden_act", "silu") in ("silu", "swish")
        and scaling(rope) in SCALINGS
        and rope.get("partial_rotary_factor", 1) == 1
        and not any(config.get(name) for name in UNKNOWN_HERE)
    )


def _rope(config: dict[str, Any]) -> dict[str, object]:
    return config.get("rope_parameters") or {
        "rope_theta": config.get("rope_theta", 10_000.0),
        **(config.get("rope_scaling") or {}),
    }


def scaling(rope: dict[str, object]) -> str:
    """How rotary positions are stretched."""
    return str(rope.get("rope_type") or rope.get("type") or "default")


@dataclass(frozen=True)
class Weights:
    embed: Tensor
    norm: Tensor
    head: Tensor
    layers: list[dict[str, Tensor]]

    @classmethod
    def read(cls, folder: Path, layers: int, dtype: torch.dtype, device: torch.device) -> Weights:
        raw = _read(folder, dtype, device)
        embed = raw["model.embed_tokens.weight"]
        return cls(
            embed=embed,
            norm=raw["model.norm.weight"],
            head=raw.get("lm_head.weight", embed),
            layers=[_joined(raw, f"model.layers.{layer}.") for layer in range(layers)],
        )


def _joined(raw: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """One layer. Matrices that read the same input are multiplied as one."""
    own = {
        "before": raw[name + "input_layernorm.weight"],
        "between": raw[name + "post_attention_layernorm.weight"],
        "qkv": torch.cat([raw[f"{name}self_attn.{p}_proj.weight"] for p in "qkv"]),
        "out": raw[name + "self_attn.o_proj.weight"],
        "gate_up": torch.cat([raw[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up")]),
        "down": raw[name + "mlp.down_proj.weight"],
    }
    if f"{name}self_attn.q_proj.bias" in raw:
        own["qkv_bias"] = torch.cat([raw[f"{name}self_attn.{p}_proj.bias"] for p in "qkv"])
    for part in ("q_norm", "k_norm"):
        if f"{name}self_attn.{part}.weight" in raw:
            own[part] = raw[f"{name}self_attn.{part}.weight"]
    return own


def _read(folder: Path, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118  not a dictionary
                found[name] = weights.get_tensor(name).to(device=device, dtype=dtype)
    extra = [name for name in found if name.endswith(("o_proj.bias", "mlp.down_proj.bias"))]
    if extra:
        raise SamplerError(
            f"{folder}: has weights that its config.json does not tell of ({extra[0]}); use vllm:"
        )
    if "model.embed_tokens.weight" not in found:
        raise SamplerError(f"{folder}: holds no safetensors weights of a Llama-like model")
    return found
