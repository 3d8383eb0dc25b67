"""What made a target: its settings, the state of its inputs, and whether it is done."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from prmdata.errors import InputError
from prmdata.files import codec, paths
from prmdata.version import VERSION

STATE = ".prmdata"
PINNED = "model"
RESERVED = ("store", "remote")
"""Names beside the run folders that are no target's: the rollout store, and remote targets."""
STREAM = "-"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a target."""

    stage: str
    settings: dict[str, Any]
    inputs: dict[str, str] = field(default_factory=dict)
    """Path → its state when the run read it."""
    complete: bool = False
    summary: dict[str, Any] = field(default_factory=dict)
    version: str = ""

    def stands_for(self, wanted: Manifest) -> bool:
        """Whether the target is complete and was made with these settings and inputs."""
        same_inputs = self.inputs == wanted.inputs and STREAM not in self.inputs
        return self.complete and same_inputs and not differences(self, wanted)


def manifest_of(stage: str, settings: Mapping[str, object], inputs: Mapping[str, str]) -> Manifest:
    """The manifest of a run that begins now."""
    plain: dict[str, object] = msgspec.json.decode(msgspec.json.encode(settings))
    return Manifest(stage, plain, dict(inputs), version=VERSION)


def run_folder(target: str) -> Path:
    if paths.is_remote(target):
        name = hashlib.blake2b(target.encode(), digest_size=8).hexdigest()
        return Path(STATE) / "remote" / name
    place = Path(os.path.realpath(target))
    reserved = place.name in RESERVED or place.name.startswith("=")
    return place.parent / STATE / (f"={place.name}" if reserved else place.name)


def load_manifest(folder: Path) -> Manifest | None:
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    return codec.decode(path.read_bytes(), Manifest, str(path))


def states_of(*inputs: str) -> dict[str, str]:
    """Each input with its state; pipes have no name that lasts."""
    return {STREAM if paths.is_stream(path) else path: input_state(path) for path in inputs}


def input_state(path: str) -> str:
    """Changes when the input does."""
    if paths.is_stream(path):
        return "a pipe"
    try:
        marks = [_mark(part) for part in paths.parts_of(path)]
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(f"{path}: {'there is no such file' if missing else reason}") from None
    return hashlib.blake2b("\n".join(marks).encode(), digest_size=8).hexdigest()


def _mark(part: str) -> str:
    if paths.is_remote(part):
        filesystem, name = paths.filesystem_of(part)
        return f"{name} {filesystem.ukey(name)}"
    state = Path(part).stat()
    return f"{Path(part).name} {state.st_size} {state.st_mtime_ns}"


def differences(old: Manifest, new: Manifest) -> list[str]:
    before = {"stage": old.stage, "input": sorted(old.inputs), **old.settings}
    after = {"stage": new.stage, "input": sorted(new.inputs), **new.settings}
    return [
        f"{name}: made with {before.get(name)!r}, now {after.get(name)!r}"
        for name in {**before, **after}
        if name != PINNED and before.get(name) != after.get(name)
    ]
