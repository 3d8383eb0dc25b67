"""The index of a segment that no longer grows: hashes and places, sorted, in a file beside it.

Only the first hash of each page stays in memory (a twentieth of a byte a row); a look-up reads one
page. An index is made from its segment alone, so one that is missing, damaged or of another length
is made anew.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = b"prmdata index 1\n"
HEAD = struct.Struct("<16sQQI4x")
"""Magic, rows, bytes of the segment, checksum of the fences."""
PAGE = 256
"""Rows."""
ROW = np.dtype([("hash", "<u8"), ("offset", "<u8")])
FENCE = np.dtype([("hash", "<u8"), ("crc", "<u4")])

Numbers = NDArray[np.uint64]


class Stale(ValueError):
    """The index does not fit its segment, or is damaged."""


@dataclass(frozen=True, slots=True)
class Table:
    path: Path
    rows: int
    _hashes: Numbers
    """The first of each page."""
    _checksums: NDArray[np.uint32]

    @classmethod
    def open(cls, path: Path, segment_bytes: int) -> Table | None:
        """The index at this path; nothing where it is not that of a segment of this length."""
        try:
            with path.open("rb") as file:
                magic, rows, length, checksum = HEAD.unpack(file.read(HEAD.size))
                if magic != MAGIC or length != segment_bytes:
                    return None
                file.seek(HEAD.size + rows * ROW.itemsize)
                raw = file.read()
        except (OSError, struct.error, OverflowError):
            return None
        if zlib.crc32(raw) != checksum or len(raw) != -(-rows // PAGE) * FENCE.itemsize:
            return None
        fences = np.frombuffer(raw, dtype=FENCE)
        return cls(path, rows, fences["hash"].copy(), fences["crc"].copy())

    @classmethod
    def write(cls, path: Path, hashes: Numbers, offsets: Numbers, segment_bytes: int) -> None:
        """Make the index; the hashes are sorted."""
        rows = np.empty(len(hashes), dtype=ROW)
        rows["hash"], rows["offset"] = hashes, offsets
        fences = np.empty(-(-len(rows) // PAGE), dtype=FENCE)
        fences["hash"] = rows["hash"][::PAGE]
        pages = range(0, len(rows), PAGE)
        fences["crc"] = [zlib.crc32(rows[at : at + PAGE].tobytes()) for at in pages]
        raw = fences.tobytes()
        scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with scratch.open("wb") as file:
                file.write(HEAD.pack(MAGIC, len(rows), segment_bytes, zlib.crc32(raw)))
                file.write(rows.tobytes())
                file.write(raw)
            scratch.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                scratch.unlink()
            raise

    def find(self, file: int, short: int) -> int | None:
        """Where the row with this hash begins; `file` is the index, open."""
        wanted = np.uint64(short)
        number = int(self._hashes.searchsorted(wanted, side="right")) - 1
        if number < 0:
            return None
        page = self._page(file, number)
        at = int(page["hash"].searchsorted(wanted))
        if at == len(page) or int(page["hash"][at]) != short:
            return None
        return int(page["offset"][at])

    def _page(self, file: int, number: int) -> NDArray[np.void]:
        first = number * PAGE
        size = min(PAGE, self.rows - first) * ROW.itemsize
        raw = os.pread(file, size, HEAD.size + first * ROW.itemsize)
        if len(raw) != size or zlib.crc32(raw) != int(self._checksums[number]):
            raise Stale(str(self.path))
        return np.frombuffer(raw, dtype=ROW)


def index_of(segment: Path) -> Path:
    return segment.with_suffix(".index")
