"""Records → numbered chunks of JSON, deflated: what a browser unpacks when a row is looked at."""

from __future__ import annotations

import base64
import os
import zlib
from array import array
from collections.abc import Sequence
from tempfile import TemporaryFile

MOST_RECORDS = 64
MOST_BYTES = 160_000
LEVEL = 4


class Pack:
    """Chunks in a temporary file; each is a JSON list of records that stand in a row."""

    def __init__(self, most_records: int = MOST_RECORDS) -> None:
        self.most_records = most_records
        self.records = 0
        self.starts: array[int] = array("i")
        """The number of the first record of each chunk."""
        self._places: array[int] = array("q", [0])
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 (it lives as long as the pack)
        self._waiting: list[bytes] = []
        self._bytes = 0

    def add(self, record: bytes) -> int:
        """The number of this record."""
        if not self._waiting:
            self.starts.append(self.records)
        self._waiting.append(record)
        self._bytes += len(record)
        self.records += 1
        if len(self._waiting) >= self.most_records or self._bytes >= MOST_BYTES:
            self.flush()
        return self.records - 1

    def flush(self) -> None:
        if self._waiting:
            data = zlib.compress(b"[" + b",".join(self._waiting) + b"]", LEVEL)
            self._file.write(data)
            self._places.append(self._places[-1] + len(data))
            self._waiting, self._bytes = [], 0

    def __len__(self) -> int:
        return len(self._places) - 1

    def chunk(self, number: int) -> bytes:
        begin, end = self._places[number], self._places[number + 1]
        return os.pread(self._file.fileno(), end - begin, begin)

    def unpacked(self, number: int) -> bytes:
        return zlib.decompress(self.chunk(number))

    @property
    def bytes(self) -> int:
        return self._places[-1]

    def close(self) -> None:
        self._file.close()


Column = array  # of signed bytes, integers or floats

TYPES = {"b": "i8", "h": "i16", "i": "i32", "f": "f32", "H": "u16"}


def typed(columns: dict[str, Column[int] | Column[float]]) -> dict[str, str]:
    """The names of columns, and what their bytes are (little-endian)."""
    return {name: TYPES[column.typecode] for name, column in columns.items()}


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def texts_of(pack: Pack) -> Sequence[str]:
    return [text_of(pack.chunk(number)) for number in range(len(pack))]
