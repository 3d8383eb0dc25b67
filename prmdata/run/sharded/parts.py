"""The parts of a run: each is the same stage over one shard, and can be run again at any time.

A part has an output of its own with its own journal, so whoever runs it a second time goes on where
the first stopped. When all are there they become the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import msgspec

from prmdata.errors import OutputError, PrmdataError
from prmdata.files import paths, read_traces, readable, write_traces
from prmdata.files.paths import writing
from prmdata.records import Trace
from prmdata.run.manifest import PINNED, load_manifest, run_folder
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions
from prmdata.run.summary import NESTED, Summary
from prmdata.run.target import FileOutput, InUse
from prmdata.trust import Trust

WAIT_S = 180.0
"""How long a part may still be held by a process that is dying, on a node that is lost."""
TELL_S = 1.0


class Request(Protocol):
    """What a stage is asked to do; a frozen dataclass."""

    @property
    def shard(self) -> tuple[int, int] | None: ...
    def settings(self) -> Mapping[str, object]: ...
    def inputs(self) -> Mapping[str, str]: ...


Work = Callable[[Any, Output, RunOptions], Coroutine[Any, Any, Summary]]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a node needs to know to run any part."""

    stage: str
    request: Any
    work: Work
    """The function of the stage, by its name in a module."""
    options: RunOptions
    target: str
    count: int
    place: str
    """The folder that relative paths start from."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Keys of servers and the like."""

    @property
    def folder(self) -> str:
        """Where the parts are until they are one."""
        if paths.is_remote(self.target):
            return f"{self.target.rstrip('/')}.parts-of-{self.count}"
        return str(run_folder(self.target) / f"parts-of-{self.count}")

    def part(self, number: int) -> str:
        return f"{self.folder}/part-{number:05d}.jsonl"


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one part."""

    number: int
    node: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    error: PrmdataError | None = None


def run_part(job: Job, number: int, tell: Callable[[int], None] = lambda done: None) -> Finished:
    """Run one part to its end, or find that it has been; `tell` hears how many traces are done."""
    node = socket.gethostname()
    os.environ.update(job.environment)
    os.chdir(job.place)
    try:
        known = _record(job, number)
        if known is not None:
            return replace(known, node=node)
        request = dataclasses.replace(job.request, shard=(number, job.count))
        if paths.is_remote(job.folder):
            filesystem, name = paths.filesystem_of(job.folder)
            filesystem.makedirs(name, exist_ok=True)
        with contextlib.closing(_opened(job, number, request)) as output:
            if not output.up_to_date:
                asyncio.run(job.work(request, Counting(output, tell), job.options))
            made = load_manifest(output.folder)
        assert made is not None
        done = Finished(number, node, made.summary, made.settings.get(PINNED))
        _write_record(job, done)
        return done
    except PrmdataError as error:
        return Finished(number, node, error=error)


def _opened(job: Job, number: int, request: Request) -> FileOutput:
    """The part's output, once whoever had it before has let it go."""
    path, deadline = job.part(number), time.monotonic() + WAIT_S
    while True:
        try:
            # On a remote file system, the part of a lost node has no run folder here.
            unknown = paths.is_remote(path) and not run_folder(path).is_dir()
            return FileOutput(
                path, job.stage, request.settings(), request.inputs(), overwrite=unknown
            )
        except InUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(TELL_S)


class Counting:
    """An output that tells how much has gone into it."""

    def __init__(self, inner: FileOutput, tell: Callable[[int], None]) -> None:
        self.inner, self.resumes = inner, inner.resumes
        self._tell, self._done, self._told_at = tell, 0, 0.0

    def pin(self, name: str, value: str) -> None:
        self.inner.pin(name, value)

    def known(self, index: int, key: str) -> list[Trace] | None:
        found = self.inner.known(index, key)
        self._count(found)
        return found

    def accept(self, index: int, key: str, traces: list[Trace]) -> None:
        self.inner.accept(index, key, traces)
        self._count(traces)

    def finish(self, summary: Mapping[str, object]) -> None:
        self.inner.finish(summary)
        self._tell(self._done)

    def close(self) -> None:
        self.inner.close()

    def _count(self, traces: Sequence[Trace] | None) -> None:
        self._done += len(traces or ())
        if time.monotonic() - self._told_at > TELL_S:
            self._told_at = time.monotonic()
            self._tell(self._done)


def _record(job: Job, number: int) -> Finished | None:
    """What is written beside a part that is whole."""
    path = f"{job.part(number)}.done"
    if not (paths.exists(path) and paths.exists(job.part(number))):
        return None
    with paths.open_bytes(path) as raw:
        found = msgspec.json.decode(raw.read())
    wanted = msgspec.json.decode(msgspec.json.encode(job.request.settings()))
    if found["settings"] != wanted:
        return None
    return Finished(number, "", found["summary"], found["model"])


def _write_record(job: Job, done: Finished) -> None:
    facts = {"settings": job.request.settings(), "summary": done.summary, "model": done.model}
    path, content = f"{job.part(done.number)}.done", msgspec.json.encode(facts)
    with writing(path):
        if paths.is_remote(path):
            filesystem, name = paths.filesystem_of(path)
            filesystem.pipe_file(name, content)
            return
        scratch = Path(f"{path}.{os.getpid()}.new")
        scratch.write_bytes(content)
        scratch.replace(path)


def join(job: Job, output: FileOutput, finished: Sequence[Finished], seconds: float) -> Summary:
    """All parts → the target, in the order of the parts; then the parts go."""
    models = {one.model for one in finished if one.model is not None}
    if len(models) > 1:
        raise OutputError(
            f"{job.target}: the parts were made with different models ({', '.join(sorted(models))})"
            "; give all nodes the same one, and start over with --overwrite"
        )
    for model in models:
        output.pin(PINNED, model)
    summary = Summary(job.stage, "complete", seconds=round(seconds, 3))
    scratch = output.scratch()
    ordered = sorted(finished, key=lambda one: one.number)
    with writing(job.target):
        write_traces(str(scratch), _counted(job, ordered, summary), job.target)
    for one in ordered:
        _add(summary, one.summary)
    output.place(scratch, summary.as_dict())
    remove_parts(job)
    return summary


def _counted(job: Job, finished: Sequence[Finished], summary: Summary) -> Iterator[Trace]:
    for one in finished:
        found = readable(read_traces(job.part(one.number)))
        for _, group in itertools.groupby(found, key=lambda trace: trace.problem.id):
            traces = list(group)
            summary.add(traces)
            yield from traces


ADDED = (
    "resumed", "failed", "over_budget", "tokens_spent", "sampler_calls", "completions_sampled",
    "completions_from_store",
)  # fmt: skip
"""What the traces do not tell."""
OWN = frozenset(field.name for field in dataclasses.fields(Summary)) - frozenset(NESTED)


def _add(summary: Summary, part: Mapping[str, Any]) -> None:
    """Add what a part's summary counts beyond its traces."""
    for name in ADDED:
        setattr(summary, name, getattr(summary, name) + part.get(name, 0))
    summary.problems += part.get("outside", 0)
    summary.outside += part.get("outside", 0)
    special = {k: n for k, n in part.items() if k not in OWN and k not in Trust().as_dict()}
    summary.special += Counter({k: n for k, n in special.items() if isinstance(n, int)})
    said = {warning[:40] for warning in summary.warnings}
    summary.warnings += [one for one in part.get("warnings", ()) if one[:40] not in said]


def remove_parts(job: Job) -> None:
    if not paths.is_remote(job.folder):
        shutil.rmtree(job.folder, ignore_errors=True)
        return
    filesystem, name = paths.filesystem_of(job.folder)
    with contextlib.suppress(FileNotFoundError):
        filesystem.rm(name, recursive=True)
