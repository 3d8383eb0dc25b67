"""`abacus`: the language model that comes with prmdata, on numpy alone.

It needs no torch, starts at once, and is as fast on a core of a CPU. The same request gives the
same answer, bit for bit, whatever else is in the batch and however many threads compute it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from prmdata.errors import UsageError, unknown
from prmdata.sampler.local.batch import Batch
from prmdata.sampler.local.sampler import LocalSampler
from prmdata.sampler.local.tokenizer import TextTokenizer
from prmdata.sampler.models.arguments import whole_number
from prmdata.sampler.models.fingerprint import folder_fingerprint
from prmdata.sampler.models.rendering import read_template
from prmdata.sampler.protocol import Sampler

OPTIONS = ("max_sequences", "threads")
OF_TORCH = ("dtype", "device")


async def open_embedded(path: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Load the model in the folder that is shipped with prmdata."""
    for name in options:
        if name in OF_TORCH:
            raise UsageError(
                f"--engine-arg {name}: the embedded model runs on numpy; "
                "to run it on torch, use --sampler local:abacus"
            )
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    from prmdata.sampler.embedded.llama import Llama
    from prmdata.sampler.embedded.threads import cores
    from prmdata.sampler.embedded.weights import Weights

    folder = Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    threads = whole_number(options, "threads", 0) if "threads" in options else cores()
    network = Llama(config, Weights.read(folder, config["num_hidden_layers"]), threads)
    tokenizer = TextTokenizer(folder)
    runner = Batch(network, tokenizer, whole_number(options, "max_sequences", 256))
    return LocalSampler(
        runner,
        tokenizer,
        read_template(folder),
        spec=spec,
        fingerprint=f"{folder_fingerprint(folder)}-numpy",
    )
