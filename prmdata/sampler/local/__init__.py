"""`abacus` and `local:PATH`: a causal language model on torch, on a CPU, CUDA or MPS.

Continuous batching in a thread of its own. Llama and its kin run here on a forward pass of our
own: on a CPU the same request gives the same answer, bit for bit, whatever else is in the batch,
since prompts are computed in blocks of one size, and steps with kernels whose rows do not depend
on one another. Other architectures run on that of transformers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from prmdata.errors import SamplerError, UsageError, unknown
from prmdata.sampler.protocol import Sampler

OPTIONS = ("dtype", "device", "max_sequences", "threads")


async def open_local(path: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Load the model in a Hugging Face folder, or of a hub id."""
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    folder = find(path, spec)
    quiet_threads()
    from prmdata.sampler.local.loading import load

    sampler: Sampler = load(
        folder,
        spec=spec,
        dtype=_one_of(options, "dtype", ("auto", "float32", "bfloat16")),
        device=_one_of(options, "device", ("auto", "cpu", "cuda", "mps")),
        max_sequences=_number(options, "max_sequences", 256),
        threads=_number(options, "threads", 0),
    )
    return sampler


def find(path: str, spec: str) -> Path:
    folder = Path(path)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise SamplerError(f"{spec}: {path} holds no config.json; it is not a model folder")
        return folder
    if path.count("/") > 1 or path.startswith((".", "~", "/")) or not path:
        raise SamplerError(f"{spec}: there is no folder {path}; give a Hugging Face model folder")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise SamplerError(
            f"{spec}: there is no folder {path}; to load it from the hub, "
            "pip install 'prmdata[hub]'"
        ) from None
    try:
        return Path(snapshot_download(path, allow_patterns=["*.json", "*.safetensors", "*.jinja"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SamplerError(f"{spec}: no folder {path}, and not from the hub: {reason}") from None


def quiet_threads() -> None:
    """Idle threads sleep instead of spinning: several stages share one machine."""
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        os.environ.setdefault("KMP_BLOCKTIME", "0")


def _one_of(options: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    value = options.get(name, known[0])
    if value not in known:
        raise unknown(name, value, known)
    return value


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    value = options.get(name, str(default))
    if not value.isdecimal() or (int(value) == 0 and name in options):
        raise UsageError(f"--engine-arg {name}={value}: must be a whole number above 0")
    return int(value)
