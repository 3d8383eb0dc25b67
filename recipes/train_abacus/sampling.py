"""Continues texts with a Hugging Face Llama folder: a plain batched loop, for measuring alone.

Rows are padded on the left to one length, so a step appends one column to every row's cache;
finished rows leave the batch as soon as an eighth of it is done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from network import rotated
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

BATCH = 256
ROOM = 360
"""The most tokens a completion may have; the longest right solution takes about 260."""


class Policy:
    def __init__(
        self, folder: Path, dtype: torch.dtype = torch.float32, temperature: float = 1.0
    ) -> None:
        self.temperature = temperature
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("model."): w.to(dtype) for name, w in weights.items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokens = 0
        """Generated so far."""
        size = self.config["head_dim"]
        frequency = 10_000.0 ** -(torch.arange(0, size, 2).float() / size)
        angle = torch.arange(self.config["max_position_embeddings"])[:, None] * frequency
        self.cos, self.sin = angle.cos().to(dtype), angle.sin().to(dtype)

    def complete(self, texts: Sequence[str], seed: int) -> list[str]:
        """One completion of each text, without its end mark."""
        draw = torch.Generator().manual_seed(seed)
        prompts = [self.tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        order = sorted(range(len(texts)), key=lambda i: len(prompts[i]))
        found: dict[int, str] = {}
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            written = self._batch([prompts[i] for i in rows], draw)
            for row, tokens in zip(rows, written, strict=True):
                found[row] = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return [found[i] for i in range(len(texts))]

    @torch.inference_mode()
    def _batch(self, prompts: list[list[int]], draw: torch.Generator) -> list[list[int]]:
        end = self.config["eos_token_id"]
        longest = max(map(len, prompts))
        padding = torch.tensor([longest - len(p) for p in prompts])
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
        limit = min(longest + ROOM, len(self.cos))
        cache = _Cache(self.config, len(prompts), limit, self.cos.dtype)
        written: list[list[int]] = [[] for _ in prompts]
        alive = torch.arange(len(prompts))
        done = torch.zeros(len(prompts), dtype=torch.bool)
        at = 0
        while True:
            logits = self._forward(ids, at, padding, cache)
            at += ids.shape[1]
            chosen = torch.multinomial(
                (logits.float() / self.temperature).softmax(-1), 1, generator=draw
            )[:, 0]
            for row, token in zip(alive.tolist(), chosen.tolist(), strict=True):
                written[row].append(token)
            done |= chosen == end
            if at >= limit or bool(done.all()):
                break
            if int(done.sum()) * 8 > len(done):
                kept = (~done).nonzero()[:, 0]
                alive, padding, chosen, done = (x[kept] for x in (alive, padding, chosen, done))
                cache.keep(kept)
            ids = chosen[:, None]
        self.tokens += sum(_length(w, end) for w in written)
        return [w[: _length(w, end)] for w in written]

    def _forward(self, ids_BT: Tensor, at: int, padding_B: Tensor, cache: _Cache) -> Tensor:
        B, T = ids_BT.shape
        heads = self.config["num_attention_heads"]
        column = torch.arange(at + T)
        places = (column[None, at:] - padding_B[:, None]).clamp(min=0)
        cos, sin = self.cos[places][:, None], self.sin[places][:, None]
        seen = (column[None, None] >= padding_B[:, None, None]) & (
            column[None, None] <= column[None, at:, None]
        )
        seen |= column[None, None] == column[None, at:, None]  # padding sees itself: no empty rows
        mask = torch.zeros(B, 1, T, at + T, dtype=cos.dtype).masked_fill_(~seen[:, None], -1e9)
        x = self.weights["embed_tokens.weight"][ids_BT]
        for layer in range(self.config["num_hidden_layers"]):
            part = f"layers.{layer}."
            h = self._norm(x, part + "input_layernorm")
            q, k, v = (
                self._linear(h, f"{part}self_attn.{n}_proj").view(B, T, heads, -1).transpose(1, 2)
                for n in "qkv"
            )
            keys, values = cache.append(layer, at, rotated(k, cos, sin), v)
            mixed = F.scaled_dot_product_attention(rotated(q, cos, sin), keys, values, mask)
            x = x + self._linear(mixed.transpose(1, 2).reshape(B, T, -1), part + "self_attn.o_proj")
            h = self._norm(x, part + "post_attention_layernorm")
            gated = F.silu(self._linear(h, part + "mlp.gate_proj"))
            x = x + self._linear(
                gated * self._linear(h, part + "mlp.up_proj"), part + "mlp.down_proj"
            )
        return F.linear(self._norm(x[:, -1], "norm"), self.weights["embed_tokens.weight"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], 1e-5)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"])


class _Cache:
    """Keys and values of every layer, with room for `limit` columns."""

    def __init__(self, config: dict[str, int], rows: int, limit: int, dtype: torch.dtype) -> None:
        shape = (rows, config["num_key_value_heads"], limit, config["head_dim"])
        layers = range(config["num_hidden_layers"])
        self.keys = [torch.zeros(shape, dtype=dtype) for _ in layers]
        self.values = [torch.zeros(shape, dtype=dtype) for _ in layers]

    def append(self, layer: int, at: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        end = at + keys.shape[2]
        self.keys[layer][:, :, at:end] = keys
        self.values[layer][:, :, at:end] = values
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def keep(self, rows: Tensor) -> None:
        self.keys = [kept[rows] for kept in self.keys]
        self.values = [kept[rows] for kept in self.values]


def _length(tokens: list[int], end: int) -> int:
    """How many of the tokens are the completion's, the end mark included."""
    return tokens.index(end) + 1 if end in tokens else len(tokens)
