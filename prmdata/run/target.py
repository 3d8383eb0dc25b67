"""A target that appears whole, and can be gone on with at any moment.

Its run folder, `.prmdata/NAME/` beside it, holds the manifest (settings, inputs, counts) and the
journal of finished items. When all are done they are written there in input order and moved into
place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from prmdata.errors import OutputError, SettingsChanged, UsageError
from prmdata.files import codec, paths, write_traces
from prmdata.files.paths import writing
from prmdata.records import Trace
from prmdata.run import placing
from prmdata.run.journal import Journal
from prmdata.run.manifest import (
    PINNED,
    STREAM,
    Manifest,
    differences,
    load_manifest,
    manifest_of,
    run_folder,
)


def is_up_to_date(
    target: str, stage: str, settings: Mapping[str, object], inputs: Mapping[str, str]
) -> bool:
    """Whether the target is there, made of the same; nothing is written to find out."""
    _refuse_input(target, inputs)
    made = load_manifest(run_folder(target))
    if made is None or not paths.exists(target):
        return False
    return made.stands_for(manifest_of(stage, settings, inputs))


class InUse(OutputError):
    """Another run is writing it now."""


class FileOutput:
    """A target on disk or on a remote file system, with its run folder."""

    resumes = True

    def __init__(
        self,
        target: str,
        stage: str,
        settings: Mapping[str, object],
        inputs: Mapping[str, str],
        *,
        overwrite: bool = False,
    ) -> None:
        self.target = target
        paths.format_of(target)
        _refuse_input(target, inputs)
        self.folder = run_folder(target)
        if not paths.is_remote(target):
            _refuse_place(target, self.folder)
            self.target = os.path.realpath(target)  # a link stays, and what it names is replaced
        if not overwrite and not self.folder.is_dir() and paths.exists(self.target):
            raise _unrecorded(target)
        with writing(target):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder.parent / ".gitignore").write_text("*\n")
            self._lock = open(self.folder / "lock", "w")  # noqa: SIM115, PTH123 (held to the end)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise InUse(f"{target}: another prmdata run is writing it now") from None
        with writing(target):
            placing.recover(self.target, self.folder)
        self.manifest = manifest_of(stage, settings, inputs)
        self._journal = Journal(self.folder, target)
        try:
            self.up_to_date = self._compare(overwrite)
            if not self.up_to_date:
                self._journal.read()
                self._save(self.manifest)
        except BaseException:
            self.close()
            raise

    def _compare(self, overwrite: bool) -> bool:
        """Whether the target is done; refuses one that other settings made."""
        there = paths.exists(self.target)
        if overwrite:
            placing.refuse_foreign(self.target, self.folder)
        old = load_manifest(self.folder)
        begun = there or self._journal.begun
        if overwrite or not begun:
            self._journal.forget()
            return False
        if old is None:
            raise _unrecorded(self.target)
        changed = differences(old, self.manifest)
        if changed and not there and not self._journal.read():
            self._journal.forget()
            return False
        if changed:
            raise SettingsChanged(
                f"{self.target} holds a run with other settings:\n"
                + "\n".join(f"  {line}" for line in changed)
                + "\nchoose another -o, or replace it with --overwrite"
            )
        if there and old.stands_for(self.manifest):
            self.manifest = old
            return True
        if old.complete:
            self._journal.forget()
        elif PINNED in old.settings:
            settings = {**self.manifest.settings, PINNED: old.settings[PINNED]}
            self.manifest = replace(self.manifest, settings=settings)
        return False

    def pin(self, name: str, value: str) -> None:
        """Hold the run to something that is known only once it has started: the model."""
        old = self.manifest.settings.get(name)
        if old is not None and old != value:
            raise SettingsChanged(
                f"{self.target} was begun with another {name} ({old}; now {value}); use that "
                "one, choose another -o, or start over with --overwrite"
            )
        self.manifest = replace(self.manifest, settings={**self.manifest.settings, name: value})
        self._save(self.manifest)

    def known(self, index: int, key: str) -> list[Trace] | None:
        return self._journal.known(index, key)

    def accept(self, index: int, key: str, traces: list[Trace]) -> None:
        self._journal.add(index, key, traces)

    def finish(self, summary: Mapping[str, object]) -> None:
        scratch = self.scratch()
        with writing(self.target):
            write_traces(str(scratch), self._journal.traces(), self.target)
        self.place(scratch, summary)

    def scratch(self) -> Path:
        """Where to write what shall become the target, with nothing of an earlier try there."""
        path = self.folder / ("sealed" + _ending(self.target))
        if path.is_dir():
            shutil.rmtree(path)
        return path

    def place(self, scratch: Path, summary: Mapping[str, object]) -> None:
        """Move the finished scratch to the target, on the disk before it is called complete."""
        with writing(self.target):
            if not paths.is_remote(self.target):
                Path(self.target).absolute().parent.mkdir(parents=True, exist_ok=True)
            _sync_file(scratch)
            placing.put(scratch, self.target.rstrip("/"), self.folder)
        self._save(replace(self.manifest, complete=True, summary=dict(summary)))
        self._journal.forget()

    def close(self) -> None:
        self._journal.close()
        self._lock.close()

    def _save(self, manifest: Manifest) -> None:
        with writing(self.target):
            scratch = self.folder / "manifest.json.new"
            scratch.write_bytes(msgspec.json.format(codec.encode(manifest), indent=2))
            scratch.replace(self.folder / "manifest.json")


def _unrecorded(target: str) -> SettingsChanged:
    return SettingsChanged(
        f"{target} is there already and no record says how it was made; "
        "choose another -o, or replace it with --overwrite"
    )


def _refuse_place(target: str, folder: Path) -> None:
    """Places where a target cannot stand, said before anything is written."""
    here, place = Path.cwd(), Path(target).resolve()
    if place == here or place in here.parents:
        raise UsageError(
            f"-o {target}: is the folder you are in or one above it; choose another output"
        )
    if any(folder.glob("*.sampler.json")):
        raise UsageError(
            f"-o {target}: its run folder {folder} is a rollout store; choose another output"
        )


def _refuse_input(target: str, inputs: Mapping[str, str]) -> None:
    """What is read cannot be replaced: the run could not be taken up again, or checked."""
    place = Path(target).resolve()
    for source in inputs:
        if source != STREAM and not paths.is_remote(source) and not paths.is_remote(target):
            read = Path(source).resolve()
            if place == read or read in place.parents:
                raise UsageError(
                    f"-o {target} is, or holds, the input ({source}); choose another output"
                )


def _ending(target: str) -> str:
    name = target.rstrip("/").rsplit("/", 1)[-1]
    return "." + name.split(".", 1)[1] if "." in name and not target.endswith("/") else ""


def _sync_file(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as raw:
                os.fsync(raw.fileno())
