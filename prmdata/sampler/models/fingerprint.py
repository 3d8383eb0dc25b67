"""What a model folder holds, in sixteen digits: other weights, another answer."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

MADE_OF = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer.model")
BY_NAME = "named-"
"""Begins the fingerprint of a served model whose weights cannot be seen from here."""
RATES = "-rates"
"""Ends that of a reward model."""
LARGE = 1 << 28
"""Bytes. Larger folders are read once; while their files stay as they are it is remembered."""


def folder_fingerprint(folder: Path, *more: str, weights: bool = True) -> str:
    """A hash of the weights, the configuration and the tokenizer; `more` says how they are run."""
    large = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    files = [*(large if weights else ()), *(folder / name for name in MADE_OF)]
    files = [path for path in files if path.is_file()]
    if sum(path.stat().st_size for path in files) < LARGE:
        return _read(files, more)
    place = _memory(files, more)
    with contextlib.suppress(OSError):
        if re.fullmatch("[0-9a-f]{16}", known := place.read_text()):
            return known
    found = _read(files, more)
    with contextlib.suppress(OSError):  # a home that cannot be written costs time, nothing else
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(found)
    return found


def other_weights(one: str, other: str) -> bool:
    """Whether these are surely two models, and not one that is run in two ways."""
    named = one.startswith(BY_NAME)
    if named != other.startswith(BY_NAME):
        return False
    return one != other if named else one.partition("-")[0] != other.partition("-")[0]


def _read(files: Sequence[Path], more: Sequence[str]) -> str:
    digest = hashlib.sha256("\n".join(more).encode())
    for path in files:
        digest.update(path.name.encode())
        with path.open("rb") as raw:
            while block := raw.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()[:16]


def _memory(files: Sequence[Path], more: Sequence[str]) -> Path:
    """Where the fingerprint of these very files is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    seen = [(str(path.resolve()), path.stat()) for path in files]
    told = [(name, at.st_size, at.st_mtime_ns, at.st_ino) for name, at in seen]
    key = hashlib.sha256(repr((told, tuple(more))).encode()).hexdigest()[:32]
    return cache / "prmdata" / "fingerprints" / key
