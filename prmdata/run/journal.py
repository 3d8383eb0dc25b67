"""The finished items of a run, in files that only grow: a run that was stopped goes on from it.

Each line has a checksum; a torn last line is passed over, damage before it is an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prmdata.errors import InputError, OutputError
from prmdata.files import codec, sealed
from prmdata.files.paths import writing
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class JournalRow:
    key: str
    traces: tuple[Trace, ...]


class Journal:
    """Every try of a run has a file of its own; only places in them are kept in memory."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder, self._target = folder, target
        self._files: list[IO[bytes]] = []
        self._own: int | None = None
        """The descriptor that this try appends to; its file is the last of those read."""
        self._end = 0
        self._places: dict[int, tuple[int, int]] = {}
        self._done: dict[bytes, tuple[int, int]] = {}
        self._synced_at = time.monotonic()

    @property
    def begun(self) -> bool:
        return any(self._folder.glob("journal-*.jsonl"))

    def read(self) -> bool:
        """Take in what earlier tries got done, failed items left out; whether any trace is."""
        self.close()
        traces = 0
        for path in sorted(self._folder.glob("journal-*.jsonl")):
            self._files.append(path.open("rb"))
            traces += self._read(path)
        return traces > 0

    def known(self, index: int, key: str) -> list[Trace] | None:
        """What an earlier, unfinished run made of this item."""
        place = self._done.get(bytes.fromhex(key))
        if place is None:
            return None
        self._places[index] = place
        return list(self._row(place).traces)

    def add(self, index: int, key: str, traces: list[Trace]) -> None:
        line = sealed.seal(codec.encode(JournalRow(key, tuple(traces))))
        with writing(self._target):
            if self._own is None:
                self._own = self._created()
            begin = self._end
            self._end = sealed.append(self._own, [line], begin)
            if time.monotonic() - self._synced_at > 1:
                os.fsync(self._own)
                self._synced_at = time.monotonic()
        self._places[index] = (len(self._files) - 1, begin)

    def traces(self) -> Iterator[Trace]:
        """Everything that is done, in input order."""
        for _, place in sorted(self._places.items()):
            yield from self._row(place).traces

    def forget(self) -> None:
        self.close()
        for path in self._folder.glob("journal-*.jsonl"):
            path.unlink()

    def close(self) -> None:
        for file in self._files:
            file.close()
        if self._own is not None:
            os.close(self._own)
        self._files, self._own, self._end, self._done = [], None, 0, {}

    def _read(self, path: Path) -> int:
        offset = traces = 0
        sealed_file: bool | None = None
        for row, line in enumerate(self._files[-1], 1):
            if not line.endswith(b"\n"):
                break  # torn: that item was never acknowledged
            sealed_file = sealed.is_sealed(line) if sealed_file is None else sealed_file
            entry = self._entry(line, f"{path}:{row}", sealed_file)
            if not any(trace.error for trace in entry.traces):  # failed items get another try
                self._done[bytes.fromhex(entry.key)] = (len(self._files) - 1, offset)
                traces += len(entry.traces)
            offset += len(line)
        return traces

    def _row(self, place: tuple[int, int]) -> JournalRow:
        number, offset = place
        file = self._files[number]
        file.seek(offset)
        line = file.readline()
        return self._entry(line, f"{file.name}, byte {offset}", sealed.is_sealed(line))

    @staticmethod
    def _entry(line: bytes, where: str, is_sealed: bool) -> JournalRow:
        """The row of a line; files from before there were checksums have none in any line."""
        try:
            if is_sealed != sealed.is_sealed(line):
                raise sealed.Broken("a line with a checksum beside one without")
            row = sealed.unseal(line) if is_sealed else line
            entry = codec.decode(row, JournalRow, where)
            bytes.fromhex(entry.key)
        except (InputError, ValueError) as error:
            reason = str(error) if isinstance(error, InputError) else f"{where}: {error}"
            raise OutputError(
                f"{reason}\nthe run's journal is damaged; start over with --overwrite"
            ) from None
        return entry

    def _created(self) -> int:
        path = self._folder / f"journal-{time.time_ns():020d}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._files.append(path.open("rb"))
        return file
