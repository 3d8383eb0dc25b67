"""Put a finished file or folder into its place: all or nothing, whenever the process dies.

A folder changes places with the old one in one step where the system can do that (Linux). Elsewhere
the old one waits in the run folder, and the next run puts it back if the new one never arrived.
Only files that prmdata wrote are ever replaced.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from prmdata.errors import InputError, OutputError
from prmdata.files import paths

RECORD, WAITING = "written.json", "replaced"
PART = re.compile(r"part-\d{5}\.parquet")
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def put(scratch: Path, target: str, folder: Path) -> None:
    """Move the finished `scratch` to its target, whose run folder is `folder`."""
    refuse_foreign(target, folder)
    before, after = written(target, folder), _names(scratch)
    _record(folder, before | after)  # whichever is there if we die now, it is ours
    if paths.is_remote(target):
        _put_remote(scratch, target, before - after)
    else:
        _put_local(scratch, Path(target), folder / WAITING)
    _record(folder, after)


def recover(target: str, folder: Path) -> None:
    """After a process died between two moves: the old folder is put back, or no longer needed."""
    waiting = folder / WAITING
    if paths.is_remote(target) or not waiting.exists():
        return
    if os.path.lexists(target):
        shutil.rmtree(waiting)
    else:
        waiting.replace(target)


def refuse_foreign(target: str, folder: Path) -> None:
    """A folder that holds anything else than prmdata's own files is not replaced."""
    ours = written(target, folder)
    around = {str(parent) for name in ours for parent in PurePosixPath(name).parents}
    foreign = next((name for name in _inside(target) if name not in ours | around), None)
    if foreign is not None:
        raise OutputError(
            f"{target}: holds {foreign}, which prmdata did not write, and would be replaced as a "
            "whole; move that file away or choose another output (-o)"
        )


def written(target: str, folder: Path) -> set[str]:
    """The files in a target folder that prmdata wrote: by its record, else by their marks."""
    with contextlib.suppress(OSError, ValueError):
        return set(json.loads((folder / RECORD).read_bytes()))
    found = set()
    with contextlib.suppress(InputError, OSError, ValueError, TypeError, KeyError):
        with paths.open_bytes(f"{target}/manifest.json") as raw:
            facts = json.loads(raw.read())
        if "prmdata" in facts:
            found = {*facts["files"], "manifest.json"}
    if (folder / "manifest.json").is_file():  # of a run: it wrote parts
        found |= {name for name in _inside(target) if PART.fullmatch(name)}
    return found


def _inside(target: str) -> Iterator[str]:
    """What stands in a folder, by paths relative to it."""
    if not paths.is_remote(target):
        place = Path(target)
        yield from (str(path.relative_to(place)) for path in sorted(place.rglob("*")))
        return
    filesystem, root = paths.filesystem_of(target)
    if filesystem.isdir(root):
        prefix = filesystem._strip_protocol(root).rstrip("/") + "/"
        yield from (name.removeprefix(prefix) for name in sorted(filesystem.find(root)))


def _names(scratch: Path) -> set[str]:
    return {str(p.relative_to(scratch)) for p in scratch.rglob("*") if not p.is_dir()}


def _record(folder: Path, names: set[str]) -> None:
    new = folder / f"{RECORD}.new"
    new.write_text(json.dumps(sorted(names)))
    new.replace(folder / RECORD)


def _put_local(scratch: Path, place: Path, waiting: Path) -> None:
    if not place.is_dir():
        if scratch.is_dir() and place.exists():
            raise OutputError(
                f"{place}: is a file, and a folder is to be written; choose another -o"
            )
        scratch.replace(place)
        return
    if not scratch.is_dir():
        raise OutputError(f"{place}: is a folder, and a file is to be written; choose another -o")
    if not _exchanged(scratch, place):
        place.replace(waiting)
        scratch.replace(place)
        scratch = waiting
    shutil.rmtree(scratch)  # what was there before


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; `False` where this system cannot."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(swap(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0)


def _put_remote(scratch: Path, target: str, stale: set[str]) -> None:
    filesystem, name = paths.filesystem_of(target)
    if scratch.is_dir():
        filesystem.put(f"{scratch}/", f"{name.rstrip('/')}/", recursive=True)
        for old in stale:
            with contextlib.suppress(FileNotFoundError):
                filesystem.rm(f"{name.rstrip('/')}/{old}")
        shutil.rmtree(scratch)
    else:
        filesystem.put_file(str(scratch), name)
        scratch.unlink()
