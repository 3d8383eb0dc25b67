"""The forward pass of Llama and its close kin: Mistral, Qwen2 (biases), Qwen3 (normed heads).

Keys and values lie in a cache of rows, one a sequence; a step reads and writes the first B rows.
"""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from torch import Tensor

from prmdata.errors import SamplerError

KIN = ("llama", "mistral", "qwen2", "qwen3")
STRIDE = 32
"""Tokens by which the cache's rows grow and shrink, and (on a CPU) of a block of a prompt."""


@dataclass(frozen=True)
class Shape:
    layers: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    rope: dict[str, Any]
    window: int | None

    @classmethod
    def read(cls, folder: Path) -> Shape:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = config.get("model_type")
        if kind not in KIN:
            raise SamplerError(
                f"{folder}: architecture '{kind}' is not among those that local: runs "
                f"({', '.join(KIN)}); use vllm:{folder} or a server"
            )
        if config.get("hidden_act", "silu") not in ("silu", "swish"):
            raise SamplerError(f"{folder}: its {config['hidden_act']} is not run here; use vllm:")
        rope = config.get("rope_parameters") or {
            "rope_theta": config.get("rope_theta", 10_000.0),
            **(config.get("rope_scaling") or {}),
        }
        used = config.get("use_sliding_window", not kind.startswith("qwen"))
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
            head=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
            vocabulary=config["vocab_size"],
            context=config["max_position_embeddings"],
            epsilon=config["rms_norm_eps"],
            rope=rope,
            window=config.get("sliding_window") if used else None,
        )


class Cache:
    """Keys and values of the sequences that run, one a row, packed to the longest of them.

    Packed, because products over a slice of longer rows take twice the time. The length follows
    the longest sequence in strides; memory is taken once, and what is not touched costs nothing.
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


@dataclass(frozen=True)
class Block:
    """What some tokens in a row leave in the cache, after all that stood before them."""

    layers: list[tuple[Tensor, Tensor]]
    last: Tensor
    """The hidden state of the last token."""


@dataclass(frozen=True)
class Prompt:
    """A computed prompt: what its tokens leave in the cache, and the logits after the last."""

    length: int
    layers: list[tuple[Tensor, Tensor]]
    logits: Tensor


class Llama:
    def __init__(self, folder: Path, dtype: torch.dtype, device: torch.device) -> None:
        self.shape = Shape.read(folder)
        self.dtype, self.device = dtype, device
        self._weights = _read_weights(folder, dtype, device)
        self._fuse()
        self.stride = STRIDE if device.type == "cpu" else 8 * STRIDE
        self._cos, self._sin = _rotations(self.shape, self.stride, dtype, device)
        # Bitwise, on a CPU: attention by plain products in float32 (also twice as fast as the
        # fused kernel in bfloat16), and never so few float32 rows that another kernel takes over.
        self.plain = device.type == "cpu"
        self.kept = torch.float32 if self.plain else dtype
        self.fewest_rows = 16 if self.plain and dtype == torch.float32 else 1

    @torch.inference_mode()
    def block(self, ids: list[int], past: list[Block]) -> Block:
        """At most `stride` tokens that follow whole blocks."""
        hidden_TD, layers = self._follow(ids, past)
        return Block(layers, hidden_TD[-1].clone())

    @torch.inference_mode()
    def prompt(self, blocks: list[Block]) -> Prompt:
        layers = [
            (torch.cat([k for k, _ in parts], 1), torch.cat([v for _, v in parts], 1))
            for parts in zip(*(block.layers for block in blocks), strict=True)
        ]
        logits = self._logits(blocks[-1].last[None, None])[0, 0]
        return Prompt(layers[0][0].shape[1], layers, logits)

    @torch.inference_mode()
    def logprobs(self, ids: list[int], first: int) -> list[float]:
        """The log-probability of each token from `first` on, given those before it."""
        past: list[Block] = []
        hidden = []
        for start in range(0, len(ids), self.stride):
            hidden_TD, layers = self._follow(ids[start : start + self.stride], past)
            past.append(Block(layers, hidden_TD[-1]))
            hidden.append(hidden_TD)
        logits_TV = self._logits(torch.cat(hidden)[None, first - 1 : -1])[0]
        chosen = torch.tensor(ids[first:], device=self.device)[:, None]
        return [float(x) for x in F.log_softmax(logits_TV, -1).gather(1, chosen)[:, 0]]

    @torch.inference_mode()
    def step(self, ids_B: Tensor, positions_B: Tensor, cache: Cache) -> Tensor:
        """One token further for the first B rows of the cache; the logits after it."""
        B = len(ids_B)
        x_B1D = self._weights["embed"][ids_B][:, None]
        cos, sin = self._cos[positions_B][:, None, None], self._sin[positions_B][:, None, None]
        places = torch.arange(cache.length, device=self.device)
        seen_B1T = places[None, None] <= positions_B[:, None, None]
        if self.shape.window:
            seen_B1T &= places[None, None] > positions_B[:, None, None] - self.shape.window
        mask_B11T = torch.zeros(B, 1, 1, cache.length, dtype=self.kept, device=self.device)
        mask_B11T.masked_fill_(~seen_B1T[:, None], float("-inf"))
        rows = torch.arange(B, device=self.device)
        for layer in range(self.shape.layers):
            q, k, v = self._heads(layer, x_B1D, cos, sin)
            keys, values = cache.keys[layer], cache.values[layer]
            keys[rows, :, positions_B] = k[:, :, 0].to(self.kept)
            values[rows, :, positions_B] = v[:, :, 0].to(self.kept)
            mixed = self._attend(q, keys[:B], values[:B], mask_B11T)
            x_B1D = self._rest(layer, x_B1D, mixed)
        return self._logits(x_B1D)[:, 0]

    def _follow(
        self, ids: list[int], past: list[Block]
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Tokens after whole blocks, always computed as a whole block: its bits are the same
        whoever asks for it, and whatever follows."""
        T, start = len(ids), len(past) * self.stride
        end = start + self.stride
        padded = torch.tensor([ids + [0] * (self.stride - T)], device=self.device)
        x = self._weights["embed"][padded]
        cos, sin = self._cos[start:end], self._sin[start:end]
        own = torch.arange(start, end, device=self.device)[:, None]
        places = torch.arange(end, device=self.device)[None]
        seen = places <= own
        if self.shape.window:
            seen &= places > own - self.shape.window
        mask = torch.zeros(seen.shape, dtype=self.kept, device=self.device)
        mask = mask.masked_fill(~seen, float("-inf"))[None, None]
        layers = []
        for layer in range(self.shape.layers):
            q, k, v = self._heads(layer, x, cos, sin)
            k, v = k.to(self.kept), v.to(self.kept)
            layers.append((k[0, :, :T].clone(), v[0, :, :T].clone()))
            keys = torch.cat([*(block.layers[layer][0][None] for block in past), k], 2)
            values = torch.cat([*(block.layers[layer][1][None] for block in past), v], 2)
            x = self._rest(layer, x, self._attend(q, keys, values, mask))
        return x[0, :T], layers

    def _heads(
        self, layer: int, x: Tensor, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        shape, own = self.shape, self._layers[layer]
        B, T, _ = x.shape
        joined = F.linear(self._norm(x, own["before"]), own["qkv"], own.get("qkv_bias"))
        heads = joined.view(B, T, shape.heads + 2 * shape.kv_heads, shape.head).transpose(1, 2)
        parts = [shape.heads, shape.kv_heads, shape.kv_heads]
        q, k, v = torch.split(heads, parts, 1)
        if "q_norm" in own:
            q, k = self._norm(q, own["q_norm"]), self._norm(k, own["k_norm"])
        return _rotated(q, cos, sin), _rotated(k, cos, sin), v

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
        own = self._layers[layer]
        B, T, _ = x.shape
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, -1), own["out"])
        gate, up = F.linear(self._norm(x, own["between"]), own["gate_up"]).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, own["down"])

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), weight, self.shape.epsilon)

    def _logits(self, x: Tensor) -> Tensor:
        x = self._norm(x, self._weights["norm"])
        rows = x.shape[0] * x.shape[1]
        if rows >= self.fewest_rows:
            return F.linear(x, self._weights["head"]).float()
        flat = F.pad(x.flatten(0, 1), (0, 0, 0, self.fewest_rows - rows))
        return F.linear(flat, self._weights["head"])[:rows].view(*x.shape[:2], -1).float()

    def _fuse(self) -> None:
        """Matrices that read the same input are multiplied as one."""
        raw = self._weights
        self._layers: list[dict[str, Tensor]] = []
        for layer in range(self.shape.layers):
            name = f"model.layers.{layer}."
            attention = [raw[f"{name}self_attn.{p}_proj.weight"] for p in "qkv"]
            own = {
                "before": raw[name + "input_layernorm.weight"],
                "between": raw[name + "post_attention_layernorm.weight"],
                "qkv": torch.cat(attention),
                "out": raw[name + "self_attn.o_proj.weight"],
                "gate_up": torch.cat([raw[f"{name}mlp.{p}_proj.weight"] for p in ("gate", "up")]),
                "down": raw[name + "mlp.down_proj.weight"],
            }
            if f"{name}self_attn.q_proj.bias" in raw:
                own["qkv_bias"] = torch.cat([raw[f"{name}self_attn.{p}_proj.bias"] for p in "qkv"])
            for part in ("q_norm", "k_norm"):
                if f"{name}self_attn.{part}.weight" in raw:
                    own[part] = raw[f"{name}self_attn.{part}.weight"]
            self._layers.append(own)
        embed = raw["model.embed_tokens.weight"]
        self._weights = {
            "embed": embed,
            "norm": raw["model.norm.weight"],
            "head": raw.get("lm_head.weight", embed),
        }


def _read_weights(folder: Path, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118  not a dictionary
                found[name] = weights.get_tensor(name).to(device=device, dtype=dtype)
    extra = [name for name in found if name.endswith(("o_proj.bias", "mlp.down_proj.bias"))]
    if extra:
        raise SamplerError(f"{folder}: has weights that are not run here ({extra[0]}); use vllm:")
    if "model.embed_tokens.weight" not in found:
        raise SamplerError(f"{folder}: holds no safetensors weights of a Llama-like model")
    return found


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def _rotations(
    shape: Shape, beyond: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    kind = shape.rope.get("rope_type", shape.rope.get("type", "default"))
    exponent = torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head
    frequency = 1.0 / shape.rope["rope_theta"] ** exponent
    if kind == "llama3":
        frequency = _llama3(frequency, shape.rope)
    elif kind == "linear":
        frequency = frequency / shape.rope["factor"]
    elif kind not in ("default", None):
        raise SamplerError(f"position scaling '{kind}' is not among those that local: runs")
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
