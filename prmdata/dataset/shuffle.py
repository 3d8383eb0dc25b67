"""Rows in random order, the same under a seed, without holding them all.

Each row goes into one of many files at random; at the end the files are read one after another,
each shuffled in memory: together a fair shuffle of all rows.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import msgspec

from prmdata.dataset.writer import RowWriter
from prmdata.exports.contract import Row

BUCKETS = 64


class ShuffledWriter:
    """Takes rows as `RowWriter` does, and hands them on when it is closed."""

    def __init__(self, writer: RowWriter, seed: int, folder: Path | None = None) -> None:
        self._writer, self._random = writer, random.Random(seed)
        self._place = tempfile.TemporaryDirectory(dir=folder)
        self._buckets = [
            (Path(self._place.name) / str(n)).open("w+b", buffering=1 << 16) for n in range(BUCKETS)
        ]

    def write(self, row: Row) -> None:
        self._random.choice(self._buckets).write(msgspec.json.encode(row) + b"\n")

    def close(self) -> list[str]:
        for bucket in self._buckets:
            bucket.seek(0)
            lines = bucket.readlines()
            self._random.shuffle(lines)
            for line in lines:
                self._writer.write(msgspec.json.decode(line))
        self._clean()
        return self._writer.close()

    def abandon(self) -> None:
        self._clean()
        self._writer.abandon()

    def _clean(self) -> None:
        for bucket in self._buckets:
            bucket.close()
        self._place.cleanup()
