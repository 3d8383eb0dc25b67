"""Where a run's traces go: a pipe, or a target that appears whole.

A target's run folder, `.prmdata/NAME/` beside it, holds the manifest (settings, inputs, counts)
and a journal of finished items. When all are done they are written in input order beside the
target and moved into place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from prmdata.errors import InputError, OutputError, SettingsChanged, UsageError
from prmdata.files import codec, paths, write_traces
from prmdata.files.paths import writing
from prmdata.records import Trace
from prmdata.run.manifest import (
    PINNED,
    Manifest,
    differences,
    load_manifest,
    run_folder,
)


class Output(Protocol):
    def pin(self, name: str, value: str) -> None: ...
    def known(self, index: int, key: str) -> list[Trace] | None: ...
    def accept(self, index: int, key: str, traces: list[Trace]) -> None: ...
    def finish(self, summary: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


class StreamOutput:
    """Lines on standard output. In a pipe the last one carries an end mark, so one is held back."""

    def __init__(self) -> None:
        mode = os.fstat(1).st_mode
        self._marked = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._held: Trace | None = None

    def pin(self, name: str, value: str) -> None:
        pass

    def known(self, index: int, key: str) -> list[Trace] | None:
        return None

    def accept(self, index: int, key: str, traces: list[Trace]) -> None:
        for trace in traces:
            if not self._marked:
                self._write(trace)
                continue
            if self._held is not None:
                self._write(replace(self._held, stream="more"))
            self._held = trace
        sys.stdout.buffer.flush()

    def finish(self, summary: Mapping[str, Any]) -> None:
        if self._held is not None:
            self._write(replace(self._held, stream="end"))
        sys.stdout.buffer.flush()

    def close(self) -> None:
        pass

    def _write(self, trace: Trace) -> None:
        with writing("standard output"):
            sys.stdout.buffer.write(codec.encode(trace) + b"\n")


@dataclass(frozen=True, slots=True)
class JournalRow:
    key: str
    traces: tuple[Trace, ...]


class ListOutput:
    """Traces in memory, in input order: what the library's functions return."""

    def __init__(self) -> None:
        self._items: dict[int, list[Trace]] = {}

    @property
    def traces(self) -> list[Trace]:
        return [trace for _, traces in sorted(self._items.items()) for trace in traces]

    def pin(self, name: str, value: str) -> None:
        pass

    def known(self, index: int, key: str) -> list[Trace] | None:
        return None

    def accept(self, index: int, key: str, traces: list[Trace]) -> None:
        self._items[index] = traces

    def finish(self, summary: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class FileOutput:
    """A target on disk or on a remote file system, with its run folder."""

    def __init__(
        self,
        target: str,
        stage: str,
        settings: Mapping[str, Any],
        inputs: Mapping[str, str],
        *,
        overwrite: bool = False,
    ) -> None:
        from prmdata import __version__

        self.target = target
        paths.format_of(target)
        _refuse_input(target, inputs)
        self.folder = run_folder(target)
        with writing(target):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder.parent / ".gitignore").write_text("*\n")
            self._lock = open(self.folder / "lock", "w")  # noqa: SIM115, PTH123 (held to the end)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise OutputError(f"{target}: another prmdata run is writing it just now") from None
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
        self.manifest = Manifest(stage, plain, dict(inputs), version=__version__)
        self._places: dict[int, tuple[int, int]] = {}
        self._done: dict[bytes, tuple[int, int]] = {}
        self._journals: list[IO[bytes]] = []
        self._own: IO[bytes] | None = None
        self._synced_at = time.monotonic()
        try:
            self.up_to_date = self._compare(overwrite)
            if not self.up_to_date:
                self._read_journals()
                self._save(self.manifest)
        except BaseException:
            self.close()
            raise

    def _compare(self, overwrite: bool) -> bool:
        """Whether the target is done; refuses one that other settings made."""
        there = paths.exists(self.target)
        old = load_manifest(self.folder)
        begun = there or any(self.folder.glob("journal-*.jsonl"))
        if overwrite or not begun:
            self._forget()
            return False
        if old is None:
            raise SettingsChanged(
                f"{self.target} is there already and no record says how it was made; "
                "choose another -o, or replace it with --overwrite"
            )
        changed = differences(old, self.manifest)
        if changed and not there and not self._has_work():
            self._forget()
            return False
        if changed:
            raise SettingsChanged(
                f"{self.target} holds a run with other settings:\n"
                + "\n".join(f"  {line}" for line in changed)
                + "\nchoose another -o, or replace it with --overwrite"
            )
        unchanged_inputs = old.inputs == self.manifest.inputs and "-" not in old.inputs
        if old.complete and there and unchanged_inputs:
            self.manifest = old
            return True
        if old.complete:
            self._forget()
        elif PINNED in old.settings:
            settings = {**self.manifest.settings, PINNED: old.settings[PINNED]}
            self.manifest = replace(self.manifest, settings=settings)
        return False

    def _has_work(self) -> bool:
        """Whether an earlier try got any item done, not only failed ones."""
        self._read_journals()
        self._close_journals()
        return bool(self._done)

    def _forget(self) -> None:
        for journal in self.folder.glob("journal-*.jsonl"):
            journal.unlink()

    def pin(self, name: str, value: str) -> None:
        """Hold the run to something that is known only once it has started: the model."""
        old = self.manifest.settings.get(name)
        if old is not None and old != value:
            raise SettingsChanged(
                f"{self.target} was begun with another {name} ({old}; now {value}); "
                "start that one again, choose another -o, or begin anew with --overwrite"
            )
        self.manifest = replace(self.manifest, settings={**self.manifest.settings, name: value})
        self._save(self.manifest)

    def known(self, index: int, key: str) -> list[Trace] | None:
        """What an earlier, unfinished run made of this item."""
        place = self._done.get(bytes.fromhex(key))
        if place is None:
            return None
        self._places[index] = place
        return list(self._row(place).traces)

    def accept(self, index: int, key: str, traces: list[Trace]) -> None:
        line = codec.encode(JournalRow(key, tuple(traces))) + b"\n"
        with writing(self.target):
            journal = self._own_journal()
            offset = journal.tell()
            journal.write(line)
            journal.flush()
            if time.monotonic() - self._synced_at > 1:
                os.fsync(journal.fileno())
                self._synced_at = time.monotonic()
        self._places[index] = (len(self._journals) - 1, offset)

    def traces(self) -> Iterator[Trace]:
        """Everything that is done, in input order."""
        for _, place in sorted(self._places.items()):
            yield from self._row(place).traces

    def _row(self, place: tuple[int, int]) -> JournalRow:
        number, offset = place
        journal = self._journals[number]
        journal.seek(offset)
        return codec.decode(journal.readline(), JournalRow, f"{journal.name}, byte {offset}")

    def finish(self, summary: Mapping[str, Any]) -> None:
        scratch = self.scratch()
        with writing(self.target):
            write_traces(str(scratch), self.traces(), self.target)
        self.place(scratch, summary)

    def scratch(self) -> Path:
        """Where to write what shall become the target, with nothing of an earlier try there."""
        path = self.folder / ("sealed" + _ending(self.target))
        if path.is_dir():
            shutil.rmtree(path)
        return path

    def place(self, scratch: Path, summary: Mapping[str, Any]) -> None:
        """Move the finished scratch to the target, on the disk before it is called complete."""
        with writing(self.target):
            if not paths.is_remote(self.target):
                Path(self.target).absolute().parent.mkdir(parents=True, exist_ok=True)
            _sync_file(scratch)
            paths.move(str(scratch), self.target.rstrip("/"))
        self._save(replace(self.manifest, complete=True, summary=dict(summary)))
        self._close_journals()
        self._forget()

    def close(self) -> None:
        self._close_journals()
        self._lock.close()

    def _close_journals(self) -> None:
        for journal in self._journals:
            journal.close()
        self._journals = []

    def _save(self, manifest: Manifest) -> None:
        with writing(self.target):
            scratch = self.folder / "manifest.json.new"
            scratch.write_bytes(msgspec.json.format(codec.encode(manifest), indent=2))
            scratch.replace(self.folder / "manifest.json")

    def _read_journals(self) -> None:
        for path in sorted(self.folder.glob("journal-*.jsonl")):
            journal = path.open("rb")
            self._journals.append(journal)
            offset = 0
            for row, line in enumerate(journal, 1):
                if not line.endswith(b"\n"):
                    break  # torn: that item was never acknowledged
                try:
                    entry = codec.decode(line, JournalRow, f"{path}:{row}")
                except InputError as error:
                    raise OutputError(
                        f"{error}\nthe run's journal is damaged; start over with --overwrite"
                    ) from None
                if not any(trace.error for trace in entry.traces):  # failed items get another try
                    self._done[bytes.fromhex(entry.key)] = (len(self._journals) - 1, offset)
                offset += len(line)

    def _own_journal(self) -> IO[bytes]:
        if self._own is None:
            path = self.folder / f"journal-{time.time_ns():020d}.jsonl"
            self._own = path.open("xb+")
            self._journals.append(self._own)
        self._own.seek(0, os.SEEK_END)
        return self._own


def _refuse_input(target: str, inputs: Mapping[str, str]) -> None:
    """What is read cannot be replaced: the run could not be taken up again, or checked."""
    place = Path(target).resolve()
    for source in inputs:
        if source != "-" and not paths.is_remote(source) and not paths.is_remote(target):
            read = Path(source).resolve()
            if place == read or read in place.parents:
                raise UsageError(f"-o {target}: is what is read ({source}); choose another place")


def _ending(target: str) -> str:
    name = target.rstrip("/").rsplit("/", 1)[-1]
    return "." + name.split(".", 1)[1] if "." in name and not target.endswith("/") else ""


def _sync_file(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as raw:
                os.fsync(raw.fileno())
