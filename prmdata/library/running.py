"""How a function runs a stage: what is in memory goes in, traces come out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from prmdata import files
from prmdata.environments import environment
from prmdata.records import Trace
from prmdata.run.output import ListOutput, Output
from prmdata.run.stage import RunOptions
from prmdata.sampler.acting.opening import Surroundings

T = TypeVar("T")
Rows = str | os.PathLike[str] | Iterable[Mapping[str, Any]]
"""A file, or its rows as dictionaries."""
Traces = str | os.PathLike[str] | Iterable[Trace]
"""A file of traces, or the traces."""
Work = Callable[[Output, RunOptions], Coroutine[Any, Any, object]]


def run(work: Coroutine[object, object, T]) -> T:
    """Run to the end, also where a loop is running already, as in notebooks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    done: list[T] = []
    failed: list[BaseException] = []

    def in_thread() -> None:
        try:
            done.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
            failed.append(error)

    thread = threading.Thread(target=in_thread, name="prmdata")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def options_of(store: str | None, progress: bool = False) -> RunOptions:
    return RunOptions(store=store, quiet=not progress)


def traces_from(work: Work, progress: bool, store: str | None = None) -> list[Trace]:
    """What the stage makes, in the order of its input."""
    output = ListOutput()
    run(work(output, options_of(store, progress)))
    return output.traces


def surroundings(name: str | None, settings: Mapping[str, object] | None) -> Surroundings:
    """What answers steps that act, checked before anything starts."""
    chosen = {key: str(value) for key, value in (settings or {}).items()}
    if name is not None:
        environment(name, chosen)
    return Surroundings(name, chosen)


def path_of(traces: Traces) -> str | None:
    """The path, where it is one and not the traces themselves."""
    return os.fspath(traces) if isinstance(traces, (str, os.PathLike)) else None


def each_of(traces: Traces) -> Iterable[Trace]:
    """The traces themselves; a line of a file that cannot be read is an error."""
    if isinstance(traces, (str, os.PathLike)):
        return files.readable(files.read_traces(os.fspath(traces)))
    return traces


@contextlib.contextmanager
def as_file(traces: Traces) -> Iterator[str]:
    """Stages read files, and what is in memory goes into one for as long."""
    if isinstance(traces, (str, os.PathLike)):
        yield os.fspath(traces)
        return
    with tempfile.TemporaryDirectory(prefix="prmdata-") as folder:
        path = str(Path(folder) / "traces.jsonl")
        files.write_traces(path, traces)
        yield path


@contextlib.contextmanager
def rows_as_file(rows: Rows) -> Iterator[str]:
    if isinstance(rows, (str, os.PathLike)):
        yield os.fspath(rows)
        return
    with tempfile.TemporaryDirectory(prefix="prmdata-") as folder:
        path = Path(folder) / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(row)) + "\n" for row in rows)
        yield str(path)
