"""`local:PATH`: a causal language model on torch, on a CPU, CUDA or MPS.

Continuous batching in a thread of its own. Llama and its kin run here on a forward pass of our
own: on a CPU the same request gives the same answer, bit for bit, whatever else is in the batch,
since prompts are computed in blocks of one size, and steps with kernels whose rows do not depend
on one another. Other architectures run on that of transformers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from prmdata.errors import PrmdataError, SamplerError, unknown
from prmdata.sampler.models.arguments import one_of, whole_number
from prmdata.sampler.models.folders import model_folder
from prmdata.sampler.protocol import Sampler

OPTIONS = ("dtype", "device", "max_sequences", "threads")


async def open_local(path: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Load the model in a Hugging Face folder, or of a hub id."""
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    folder = model_folder(path, spec)
    quiet_threads()
    try:
        from prmdata.sampler.local.loading import load
    except ImportError as error:
        raise SamplerError(
            f"{spec}: models in this process run on torch, and {error.name} is not installed here; "
            "pip install 'prmdata[local]'"
        ) from None

    dtype = one_of(options, "dtype", ("auto", "float32", "bfloat16"))
    device = one_of(options, "device", ("auto", "cpu", "cuda", "mps"))
    max_sequences = whole_number(options, "max_sequences", 256)
    threads = whole_number(options, "threads", 0)
    try:
        sampler: Sampler = load(
            folder, spec=spec, dtype=dtype, device=device, max_sequences=max_sequences,
            threads=threads,
        )  # fmt: skip
    except PrmdataError:
        raise
    except Exception as error:  # noqa: BLE001  each reader of its files has errors of its own
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SamplerError(
            f"{spec}: {folder} does not load ({reason}); is the model folder complete?"
        ) from None
    return sampler


def quiet_threads() -> None:
    """Idle threads sleep instead of spinning: several stages share one machine."""
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        os.environ.setdefault("KMP_BLOCKTIME", "0")
