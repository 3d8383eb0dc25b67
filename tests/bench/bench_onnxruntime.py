"""One token further for many sequences: the embedded model on numpy, on torch and on onnxruntime.

    pip install onnx onnxruntime && python -m tests.bench.bench_onnxruntime

One thread each, 128 places in the cache, processor time for each token: medians of rounds that
alternate, and the range of these rounds.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file

from prmdata.abacus import MODEL
from prmdata.sampler.embedded.cache import Prompt
from prmdata.sampler.embedded.llama import Llama
from prmdata.sampler.embedded.weights import Weights

CONFIG = json.loads((MODEL / "config.json").read_text())
LAYERS, HEADS, HEAD = CONFIG["num_hidden_layers"], CONFIG["num_attention_heads"], CONFIG["head_dim"]
PLACES, ROUNDS, SECONDS = 128, 7, 0.5
NAMES = ("ids", "positions", "keys", "values")


class Step(torch.nn.Module):
    """What `Llama.step` computes, in operators that can be exported."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = {
            k: v.float() for k, v in load_file(str(MODEL / "model.safetensors")).items()
        }

    def forward(self, ids, positions, keys, values):
        weight = self.weights
        x = weight["model.embed_tokens.weight"][ids]
        angle = positions.float()[:, None] / 10000.0 ** (torch.arange(0, HEAD, 2).float() / HEAD)
        cos, sin = angle.cos()[:, None], angle.sin()[:, None]
        unseen = (torch.arange(keys.shape[3])[None] >= positions[:, None])[:, None]
        made = []
        for number in range(LAYERS):
            layer = f"model.layers.{number}."
            normed = norm(x, weight[layer + "input_layernorm.weight"])
            q, k, v = (
                (normed @ weight[f"{layer}self_attn.{part}_proj.weight"].T).reshape(-1, HEADS, HEAD)
                for part in "qkv"
            )
            q, k = rotated(q, cos, sin) * HEAD**-0.5, rotated(k, cos, sin)
            scores = torch.einsum("bhd,bhtd->bht", q, keys[number])
            scores = scores.masked_fill(unseen, float("-inf"))
            own = (q * k).sum(-1, keepdim=True)
            shares = torch.softmax(torch.cat([scores, own], -1), -1)
            mixed = torch.einsum("bht,bhtd->bhd", shares[..., :-1], values[number])
            mixed = (mixed + shares[..., -1:] * v).reshape(-1, HEADS * HEAD)
            x = x + mixed @ weight[layer + "self_attn.o_proj.weight"].T
            normed = norm(x, weight[layer + "post_attention_layernorm.weight"])
            gate = torch.nn.functional.silu(normed @ weight[layer + "mlp.gate_proj.weight"].T)
            up = normed @ weight[layer + "mlp.up_proj.weight"].T
            x = x + (gate * up) @ weight[layer + "mlp.down_proj.weight"].T
            made += [k, v]
        logits = norm(x, weight["model.norm.weight"]) @ weight["model.embed_tokens.weight"].T
        return logits, torch.stack(made)


def norm(x, weight):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"]) * weight


def rotated(x, cos, sin):
    low, high = x[..., : HEAD // 2], x[..., HEAD // 2 :]
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def drawn(count: int) -> tuple[torch.Tensor, ...]:
    chance = torch.Generator().manual_seed(0)
    size = (LAYERS, count, HEADS, PLACES, HEAD)
    ids = torch.randint(3, CONFIG["vocab_size"], (count,), generator=chance)
    past = (torch.randn(size, generator=chance) for _ in range(2))
    return (ids, torch.full((count,), PLACES), *past)


def exported(model: Step) -> onnxruntime.InferenceSession:
    axes = {"ids": {0: "B"}, "positions": {0: "B"}, "keys": {1: "B"}, "values": {1: "B"}}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(folder) / "step.onnx"
        torch.onnx.export(
            model, drawn(8), str(place), input_names=list(NAMES), output_names=["logits", "made"],
            dynamic_axes={**axes, "logits": {0: "B"}, "made": {1: "B"}}, dynamo=False,
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(place.read_bytes(), options)


def numpy_step(inputs: tuple[torch.Tensor, ...]) -> Callable[[], object]:
    model, ids = Llama(CONFIG, Weights.read(MODEL, LAYERS), 1), inputs[0].tolist()
    cache = model.cache()
    cache.fit(len(ids), PLACES + 1, 0)
    for row in range(len(ids)):
        layers = [(inputs[2][n, row].numpy(), inputs[3][n, row].numpy()) for n in range(LAYERS)]
        cache.put(row, Prompt(layers, np.zeros(CONFIG["vocab_size"], np.float32)))
    return lambda: model.step(ids, [PLACES] * len(ids), cache)


def microseconds(step: Callable[[], object], tokens: int) -> float:
    begun, count = time.process_time(), 0
    while time.process_time() - begun < SECONDS:
        step()
        count += 1
    return 1e6 * (time.process_time() - begun) / count / tokens


def main() -> None:
    torch.set_num_threads(1)
    model = Step().eval()
    session = exported(model)
    for count in (8, 64, 256):
        inputs = drawn(count)
        fed = dict(zip(NAMES, (part.numpy() for part in inputs), strict=True))
        steps = {
            "numpy": numpy_step(inputs),
            "onnxruntime": lambda fed=fed: session.run(None, fed),
            "torch": lambda inputs=inputs: model(*inputs),
        }
        with torch.inference_mode():
            differ = np.abs(session.run(None, fed)[0] - model(*inputs)[0].numpy()).max()
            assert differ < 1e-3, differ
            rounds = [{n: microseconds(s, count) for n, s in steps.items()} for _ in range(ROUNDS)]
        for name in steps:
            times = sorted(found[name] for found in rounds)
            print(
                f"{count:>4} sequences, {name:<12} {statistics.median(times):6.0f} µs a token "
                f"({times[0]:.0f} to {times[-1]:.0f})"
            )


if __name__ == "__main__":
    main()
