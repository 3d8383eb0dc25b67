"""The files of a rollout store: few of them open at a time, those that still grow followed.

A process holds a lock on each segment that it writes, for as long as it writes it. A segment whose
lock is free never grows again; with more than a few rows it then gets an index (`table`), and many
small ones become one (`compaction`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import StoreError
from prmdata.files import sealed
from prmdata.sampler.storage.table import Table, index_of
from prmdata.sampler.storage.writers import Writer

MOST_OPEN = 64
BLOCK = 1 << 20
SETTLED_S = 0.1
"""A folder changed twice within a tick of its clock shows one change: it is listed for a while."""


class Gone(Exception):
    """The segment has become part of another one, or was removed."""


@dataclass(slots=True)
class Segment:
    path: Path
    end: int = 0
    """Up to here its rows are known."""
    sealed: bool | None = None
    """Whether its rows have checksums, which the first one tells."""


class Segments:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listing: int | None = None
        """The folder, open: asking it for its time takes a third of asking by its name."""
        self._all: list[Segment] = []
        self._numbers: dict[str, int] = {}
        self._growing: list[int] = []
        self._open: dict[Path, int] = {}
        """File descriptors, the one used longest ago first."""
        self._own: set[Path] = set()
        self._changed_at, self._list_until = -1, 0.0
        self._settled = False
        self.tables: dict[int, Table] = {}
        """Number → index, of the segments that have one."""
        self._distrusted: set[int] = set()
        """Segments whose index was damaged."""
        self.settled: list[int] = []
        """Segments that were read to their end; whoever takes note of them empties it."""

    def create(self, sampler: str) -> int:
        """A segment of our own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / ".gitignore").write_text("*\n")
        path = self._folder / Writer.ours(sampler).file_name(time.time_ns())
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        number = len(self._all)
        self._own.add(path)
        self._numbers[path.name] = number
        self._all.append(Segment(path, sealed=True))
        self._open[path] = file
        return number

    def release(self, number: int) -> None:
        """Our own segment is whole: let others make it part of a larger one."""
        path = self._all[number].path
        self._own.discard(path)
        fcntl.flock(self.file(path), fcntl.LOCK_UN)

    def name(self, number: int) -> str:
        return str(self._all[number].path)

    def own_file(self, number: int) -> int:
        return self.file(self._all[number].path)

    def row(self, number: int, line: bytes) -> bytes:
        """What a line holds, without its checksum; `Broken` where that does not fit."""
        segment, is_sealed = self._all[number], sealed.is_sealed(line)
        if segment.sealed is None:
            segment.sealed = is_sealed
        if segment.sealed != is_sealed:
            raise sealed.Broken("a line with a checksum beside one without")
        return sealed.unseal(line) if is_sealed else line

    def file(self, path: Path) -> int:
        file = self._open.pop(path, None)
        if file is None:
            file = self._opened(path)
        self._open[path] = file
        return file

    def line(self, number: int, offset: int) -> bytes:
        """The line that begins there."""
        file, line = self.file(self._all[number].path), b""
        while True:
            block = os.pread(file, 4096, offset + len(line))
            cut = block.find(b"\n")
            line += block if cut < 0 else block[:cut]
            if cut >= 0 or not block:
                return line

    def at_rest(self) -> bool:
        """Whether there surely is nothing new: asked for each completion that is not known."""
        return (
            not self._growing
            and self._settled
            and os.fstat(self._listing or -1).st_mtime_ns == self._changed_at
        )

    def added(self) -> Iterator[tuple[int, int, bytes]]:
        """Lines that were added since the last look: segment, offset, line.

        Segments with an index are opened by it, and none of their lines is read.
        """
        self._look()
        for number in tuple(self._growing):
            try:
                yield from self._added_to(number)
            except Gone:
                self._growing.remove(number)

    def _added_to(self, number: int) -> Iterator[tuple[int, int, bytes]]:
        segment = self._all[number]
        file = self.file(segment.path)
        settled = not is_locked(file)  # asked before the size: it may end in between
        size = os.fstat(file).st_size
        if settled and not segment.end and size and self.indexed(number, size):
            self._growing.remove(number)
            return
        if size > segment.end:
            yield from self._lines(number)
        if settled and size:
            self._growing.remove(number)
            self.settled.append(number)

    def indexed(self, number: int, size: int) -> bool:
        """Whether the segment has an index that fits it, which is then used."""
        segment = self._all[number]
        table = Table.open(index_of(segment.path), size)
        if table is None or number in self._distrusted:
            return False
        segment.end = size
        self.tables[number] = table
        return True

    def path(self, number: int) -> Path:
        return self._all[number].path

    def drop_table(self, number: int) -> None:
        """A damaged index goes; the rows of its segment are read once more."""
        table = self.tables.pop(number)
        self._forget_file(table.path)
        with contextlib.suppress(OSError):
            table.path.unlink()
        self._distrusted.add(number)
        self._all[number].end = 0
        self._growing.append(number)
        self._settled = False

    def lost(self, number: int) -> None:
        """Its file is gone."""
        self.tables.pop(number, None)
        self._changed_at, self._settled = -1, False

    def close(self) -> None:
        for file in self._open.values():
            os.close(file)
        if self._listing is not None:
            os.close(self._listing)
        self._open, self._own, self._listing, self._settled = {}, set(), None, False

    def _lines(self, number: int) -> Iterator[tuple[int, int, bytes]]:
        """Up to the last whole line: what follows was torn, or is being written."""
        segment, rest = self._all[number], b""
        while block := os.pread(self.file(segment.path), BLOCK, segment.end + len(rest)):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                offset = segment.end
                segment.end += len(line) + 1
                yield number, offset, line

    def _look(self) -> None:
        """Find the segments that are new."""
        if self._listing is None:
            if not self._folder.is_dir():
                return
            self._listing = os.open(self._folder, os.O_RDONLY)
        changed_at, now = os.fstat(self._listing).st_mtime_ns, time.monotonic()
        if changed_at != self._changed_at:
            self._changed_at, self._list_until = changed_at, now + SETTLED_S
        elif now > self._list_until:
            self._settled = True
            return
        self._settled = False
        for name in sorted(path.name for path in self._folder.iterdir()):
            if name.endswith(".jsonl") and name not in self._numbers:
                self._numbers[name] = len(self._all)
                self._growing.append(len(self._all))
                self._all.append(Segment(self._folder / name))

    def _forget_file(self, path: Path) -> None:
        file = self._open.pop(path, None)
        if file is not None:
            os.close(file)

    def _opened(self, path: Path) -> int:
        while len(self._open) >= MOST_OPEN + len(self._own):
            oldest = next(other for other in self._open if other not in self._own)
            self._forget_file(oldest)
        try:
            return os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise Gone(str(path)) from None
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be read ({os.strerror(error.errno or 0)}); its rows were here "
                "when this run began"
            ) from None


def is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # held, or not known here: then its rows are looked for each time
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
