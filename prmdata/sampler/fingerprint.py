"""What a model folder holds, in sixteen digits: other weights, another answer."""

from __future__ import annotations

import hashlib
from pathlib import Path

MADE_OF = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer.model")


def folder_fingerprint(folder: Path, *more: str) -> str:
    """A hash of the weights, the configuration and the tokenizer; `more` says how they are run."""
    digest = hashlib.sha256("\n".join(more).encode())
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    for path in [*weights, *(folder / name for name in MADE_OF)]:
        if path.is_file():
            digest.update(path.name.encode())
            with path.open("rb") as raw:
                while block := raw.read(1 << 22):
                    digest.update(block)
    return digest.hexdigest()[:16]
