"""Traces set aside by key, in any order, and taken back group by group.

Their text goes to a temporary file once it is more than `IN_MEMORY`; memory holds an offset for
each trace, and a key for each group.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator

from prmdata.files import codec
from prmdata.files.paths import writing
from prmdata.records import Trace

IN_MEMORY = 64 << 20
"""Bytes."""


class Spool:
    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  see close
        self._offsets: dict[str, array[int]] = {}

    def add(self, key: str, trace: Trace) -> None:
        self._offsets.setdefault(key, array("Q")).append(self._file.tell())
        with writing("the folder for temporary files (TMPDIR)"):
            self._file.write(codec.encode(trace) + b"\n")

    def groups(self) -> Iterator[tuple[str, list[Trace]]]:
        """Keys and their traces, in the order in which the keys came first."""
        for key, offsets in self._offsets.items():
            yield key, [self._at(offset) for offset in offsets]

    def _at(self, offset: int) -> Trace:
        self._file.seek(offset)
        return codec.decode(self._file.readline(), Trace, "a temporary file")

    def close(self) -> None:
        self._file.close()
