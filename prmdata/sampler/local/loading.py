"""A model folder → the sampler over it: our own forward pass where there is one."""

from __future__ import annotations

import json
from pathlib import Path

from prmdata.sampler.fingerprint import folder_fingerprint
from prmdata.sampler.local.batch import Batch
from prmdata.sampler.local.hardware import choose_device, choose_dtype, use_threads
from prmdata.sampler.local.llama import Llama
from prmdata.sampler.local.sampler import LocalSampler
from prmdata.sampler.local.weights import Shape, Weights
from prmdata.sampler.local.words import Words
from prmdata.sampler.rendering import read_template


def load(
    folder: Path, *, spec: str, dtype: str, device: str, max_sequences: int, threads: int
) -> LocalSampler:
    use_threads(threads)
    on = choose_device(device)
    number = choose_dtype(dtype, on)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    words = Words(folder)
    shape = Shape.of(config)
    model = Llama(shape, Weights.read(folder, shape.layers, number, on))
    name = str(number).removeprefix("torch.")
    return LocalSampler(
        Batch(model, words, max_sequences),
        words,
        read_template(folder),
        spec=spec,
        fingerprint=f"{folder_fingerprint(folder)}-{on.type}-{name}",
    )
