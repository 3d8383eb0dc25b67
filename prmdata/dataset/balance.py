"""As many rows of the one side as of the other: what is over is left out at random.

How many there are is known at the end only, so rows wait in a file; memory does not grow.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from prmdata.errors import UsageError
from prmdata.exports.contract import Row, Sink


@runtime_checkable
class TwoSided(Protocol):
    """A format whose rows are each an example of something right or of something wrong."""

    def positive(self, row: Row) -> bool: ...


def sides(form: object) -> TwoSided:
    if not isinstance(form, TwoSided):
        raise UsageError("--balance: this format's rows are not right or wrong; leave it out")
    return form


class Balanced:
    """Holds rows back for a sink until `pour`."""

    def __init__(
        self, sink: Sink, positive: Callable[[Row], bool], seed: int, folder: Path | None
    ) -> None:
        self._sink, self._positive = sink, positive
        self._random = random.Random(seed)
        self._waiting = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by pour)
        self._found: Counter[bool] = Counter()

    def write(self, row: Row) -> None:
        side = bool(self._positive(row))
        self._found[side] += 1
        self._waiting.write((b"+" if side else b"-") + msgspec.json.encode(row) + b"\n")

    def pour(self) -> int:
        """Hand on the same number of both sides, in their order; how many were left out.

        Each is taken with the chance of (still wanted) / (still to come): any choice of the right
        size is as likely as any other (Knuth, algorithm S).
        """
        wanted = dict.fromkeys((True, False), min(self._found[True], self._found[False]))
        coming = Counter(self._found)
        self._waiting.seek(0)
        for line in self._waiting:
            side = line.startswith(b"+")
            if self._random.random() * coming[side] < wanted[side]:
                wanted[side] -= 1
                self._sink.write(msgspec.json.decode(line[1:]))
            coming[side] -= 1
        self._waiting.close()
        return abs(self._found[True] - self._found[False])
