"""The finished items of a run, in files that only grow: a run that was stopped goes on from it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prmdata.errors import InputError, OutputError
from prmdata.files import codec
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
        self._own: IO[bytes] | None = None
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
        line = codec.encode(JournalRow(key, tuple(traces))) + b"\n"
        with writing(self._target):
            file = self._own_file()
            offset = file.tell()
            file.write(line)
            file.flush()
            if time.monotonic() - self._synced_at > 1:
                os.fsync(file.fileno())
                self._synced_at = time.monotonic()
        self._places[index] = (len(self._files) - 1, offset)

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
        self._files, self._own, self._done = [], None, {}

    def _read(self, path: Path) -> int:
        offset = traces = 0
        for row, line in enumerate(self._files[-1], 1):
            if not line.endswith(b"\n"):
                break  # torn: that item was never acknowledged
            try:
                entry = codec.decode(line, JournalRow, f"{path}:{row}")
            except InputError as error:
                raise OutputError(
                    f"{error}\nthe run's journal is damaged; start over with --overwrite"
                ) from None
            if not any(trace.error for trace in entry.traces):  # failed items get another try
                self._done[bytes.fromhex(entry.key)] = (len(self._files) - 1, offset)
                traces += len(entry.traces)
            offset += len(line)
        return traces

    def _row(self, place: tuple[int, int]) -> JournalRow:
        number, offset = place
        file = self._files[number]
        file.seek(offset)
        return codec.decode(file.readline(), JournalRow, f"{file.name}, byte {offset}")

    def _own_file(self) -> IO[bytes]:
        if self._own is None:
            path = self._folder / f"journal-{time.time_ns():020d}.jsonl"
            self._own = path.open("xb+")
            self._files.append(self._own)
        self._own.seek(0, os.SEEK_END)
        return self._own
