"""Several segments → one: each row once, checked, with its index.

The new segment is whole and on the disk before those that it is made of go, so that whoever dies
in between leaves rows twice, and none missing. Readers that had the old ones look again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import StoreError
from prmdata.files import sealed
from prmdata.files.paths import writing
from prmdata.sampler.storage.memory import MemoryIndex
from prmdata.sampler.storage.rows import Reader, Row
from prmdata.sampler.storage.segments import is_locked
from prmdata.sampler.storage.table import Table, index_of
from prmdata.sampler.storage.writers import Writer, this_machine

LOCK = "compact.lock"
MANY = 8
"""So many segments of about one size become one when a process closes its store."""
MOST_BYTES = 1 << 28
"""Together: larger ones are left to `prmdata store compact`."""
SMALL_BYTES = 1 << 16
FOREIGN_S = 86_400.0
"""Locks of other machines may not be seen here: their segments are left alone for this long."""
BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Compacted:
    segments: int = 0
    """Those that are gone."""
    rows: int = 0
    repeated: int = 0
    """Rows that were there more than once."""
    bytes_before: int = 0
    bytes_after: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        return Compacted(
            self.segments + other.segments,
            self.rows + other.rows,
            self.repeated + other.repeated,
            self.bytes_before + other.bytes_before,
            self.bytes_after + other.bytes_after,
        )


def compact_small(folder: Path) -> None:
    """What a process does when it closes its store: a little, and never at the cost of a run."""
    with contextlib.suppress(OSError, StoreError), alone(folder) as ours:
        if ours:
            for group in by_sampler(at_rest(folder)).values():
                _merged(folder, due(group))


def compact_all(folder: Path) -> Compacted:
    """One segment a sampler, of all that no process writes."""
    with writing(str(folder)), alone(folder) as ours:
        if not ours:
            raise StoreError(f"{folder}: another process compacts it now; try again when it ends")
        for left in folder.glob("*.part"):
            left.unlink(missing_ok=True)
        groups = by_sampler(at_rest(folder, foreign=True)).values()
        return sum((_merged(folder, group) for group in groups), Compacted())


def due(segments: Iterable[Path]) -> list[Path]:
    """The smallest ones, up to one that is larger than all before it together."""
    found: list[Path] = []
    total = 0
    for size, path in sorted((path.stat().st_size, path) for path in segments):
        if size > max(total, SMALL_BYTES) or total + size > MOST_BYTES:
            break
        found.append(path)
        total += size
    return found if len(found) >= MANY else []


def at_rest(folder: Path, *, foreign: bool = False) -> list[Path]:
    """Segments that nobody writes; of other machines those that have been so for a day, or all."""
    return [
        path
        for path in sorted(folder.glob("*.jsonl"))
        if not _in_use(path)
        and (
            foreign
            or Writer.of(path).machine == this_machine()
            or time.time() - path.stat().st_mtime > FOREIGN_S
        )
    ]


def by_sampler(segments: Iterable[Path]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in segments:
        groups.setdefault(Writer.of(path).sampler, []).append(path)
    return groups


def _merged(folder: Path, sources: Sequence[Path]) -> Compacted:
    if len(sources) < 2:
        return Compacted()
    sampler = Writer.of(sources[0]).sampler
    target = folder / Writer.ours(sampler).file_name(time.time_ns())
    scratch = target.with_suffix(".part")
    index, repeated, end = MemoryIndex(), 0, 0
    try:
        with scratch.open("xb") as file:
            for rows in _blocks(sources):
                new = [row for row in rows if index.find(row.short) is None]
                for row in new:
                    index.add(row.short, 0, end)
                    end += file.write(sealed.seal(row.content))
                repeated += len(rows) - len(new)
            file.flush()
            os.fsync(file.fileno())
        newest = max(path.stat().st_mtime for path in sources)
        os.utime(scratch, (newest, newest))
        Table.write(index_of(target), *index.of(0), end)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    _sync(folder)
    before = sum(path.stat().st_size for path in sources)
    for path in sources:
        remove(path)
    return Compacted(len(sources) - 1, len(index), repeated, before, end)


def remove(segment: Path) -> None:
    index_of(segment).unlink(missing_ok=True)
    segment.unlink(missing_ok=True)


def _blocks(sources: Iterable[Path]) -> Iterator[list[Row]]:
    """Rows of the sources, each once within a block."""
    block: dict[int, Row] = {}
    for path in sources:
        for row in Reader(path).rows():
            if row.short in block or len(block) >= BLOCK_ROWS:
                yield list(block.values())
                block = {}
            block[row.short] = row
    yield list(block.values())


def _in_use(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        return is_locked(file) or os.fstat(file).st_size == 0
    finally:
        os.close(file)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether no other process compacts or drops segments of this folder now."""
    if not folder.is_dir():
        yield False
        return
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
