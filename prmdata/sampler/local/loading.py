"""A model folder → the sampler over it: our own forward pass where there is one."""

from __future__ import annotations

import json
from pathlib import Path

from prmdata.sampler.local.batch import Batch
from prmdata.sampler.local.hardware import choose_device, choose_dtype, use_threads
from prmdata.sampler.local.llama import Llama
from prmdata.sampler.local.sampler import LocalSampler, Runner
from prmdata.sampler.local.tokenizer import TextTokenizer
from prmdata.sampler.local.waves import Waves, load_causal
from prmdata.sampler.local.weights import Shape, Weights, written_out
from prmdata.sampler.models.fingerprint import folder_fingerprint
from prmdata.sampler.models.rendering import read_template


def load(
    folder: Path, *, spec: str, dtype: str, device: str, max_sequences: int, threads: int
) -> LocalSampler:
    use_threads(threads)
    on = choose_device(device)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = TextTokenizer(folder)
    made_of = folder_fingerprint(folder)
    runner: Runner
    if written_out(config):
        number, by = choose_dtype(dtype, on), ""
        shape = Shape.of(config)
        model = Llama(shape, Weights.read(folder, shape.layers, number, on))
        runner = Batch(model, tokenizer, max_sequences)
    else:
        # Rounding in bfloat16 would let a wave tip its members' draws: float32 where it is no
        # slower by much.
        number = choose_dtype("float32" if dtype == "auto" and on.type == "cpu" else dtype, on)
        by = "-transformers"
        runner = Waves(load_causal(folder, number, on), tokenizer, max_sequences)
    name = str(number).removeprefix("torch.")
    return LocalSampler(
        runner,
        tokenizer,
        read_template(folder),
        spec=spec,
        fingerprint=f"{made_of}-{on.type}-{name}{by}",
    )
