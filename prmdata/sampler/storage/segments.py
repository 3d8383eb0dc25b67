"""The files of a rollout store: few of them open at a time, those that still grow followed.

A process holds a lock on the segment that it writes, for as long as it runs. A segment whose lock
is free never grows again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import StoreError
from prmdata.files import sealed

MOST_OPEN = 64
BLOCK = 1 << 20
SETTLED_S = 0.1
"""A folder changed twice within a tick of its clock shows one change: it is listed for a while."""


@dataclass(slots=True)
class Segment:
    path: Path
    end: int = 0
    """Up to here its rows are known."""
    grows: bool = True
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
        self._open: dict[int, int] = {}
        """Number → file descriptor, the one used longest ago first."""
        self._own: int | None = None
        self._changed_at, self._list_until = -1, 0.0
        self._settled = False

    def create(self) -> int:
        """A segment of our own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / ".gitignore").write_text("*\n")
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}.jsonl"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        number = self._own = len(self._all)
        self._numbers[path.name] = number
        self._all.append(Segment(path, grows=False, sealed=True))
        self._open[number] = file
        return number

    def name(self, number: int) -> str:
        return str(self._all[number].path)

    def row(self, number: int, line: bytes) -> bytes:
        """What a line holds, without its checksum; `Broken` where that does not fit."""
        segment, is_sealed = self._all[number], sealed.is_sealed(line)
        if segment.sealed is None:
            segment.sealed = is_sealed
        if segment.sealed != is_sealed:
            raise sealed.Broken("a line with a checksum beside one without")
        return sealed.unseal(line) if is_sealed else line

    def file(self, number: int) -> int:
        file = self._open.pop(number, None)
        if file is None:
            file = self._opened(number)
        self._open[number] = file
        return file

    def line(self, number: int, offset: int) -> bytes:
        """The line that begins there."""
        file, line = self.file(number), b""
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
        """Lines that were added since the last look: segment, offset, line."""
        self._look()
        for number in tuple(self._growing):
            segment = self._all[number]
            file = self.file(number)
            settled = not _is_locked(file)  # asked before the size: it may end in between
            size = os.fstat(file).st_size
            if size > segment.end:
                yield from self._lines(number)
            if settled and size:
                segment.grows = False
                self._growing.remove(number)

    def close(self) -> None:
        for file in self._open.values():
            os.close(file)
        if self._listing is not None:
            os.close(self._listing)
        self._open, self._own, self._listing, self._settled = {}, None, None, False

    def _lines(self, number: int) -> Iterator[tuple[int, int, bytes]]:
        """Up to the last whole line: what follows was torn, or is being written."""
        segment, rest = self._all[number], b""
        while block := os.pread(self.file(number), BLOCK, segment.end + len(rest)):
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

    def _opened(self, number: int) -> int:
        while len(self._open) >= MOST_OPEN:
            oldest = next(other for other in self._open if other != self._own)
            os.close(self._open.pop(oldest))
        try:
            return os.open(self._all[number].path, os.O_RDONLY)
        except OSError as error:
            raise StoreError(
                f"{self.name(number)}: cannot be read ({os.strerror(error.errno or 0)}); its rows "
                "were here when this run began"
            ) from None


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # held, or not known here: then its rows are looked for each time
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
