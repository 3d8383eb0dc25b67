"""Where a run's traces go: a pipe, memory, or (`target`) a file that appears whole."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from prmdata.files import codec
from prmdata.files.paths import is_pipe, open_stream, writing
from prmdata.records import Trace


class Output(Protocol):
    resumes: bool
    """Whether a run that stops can go on where it was."""

    def pin(self, name: str, value: str) -> None: ...
    def known(self, index: int, key: str) -> list[Trace] | None: ...
    def accept(self, index: int, key: str, traces: list[Trace]) -> None: ...
    def finish(self, summary: Mapping[str, object]) -> None: ...
    def close(self) -> None: ...


class StreamOutput:
    """Lines on standard output. In a pipe the last one carries an end mark, so one is held back."""

    resumes = False

    def __init__(self, target: str = "-") -> None:
        self._target = target
        self._file = open_stream(target)
        self._marked = is_pipe(self._file.fileno())
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
        self._file.flush()

    def finish(self, summary: Mapping[str, object]) -> None:
        if self._held is not None:
            self._write(replace(self._held, stream="end"))
        self._file.flush()

    def close(self) -> None:
        if self._target != "-":
            with contextlib.suppress(BrokenPipeError):
                self._file.close()

    def _write(self, trace: Trace) -> None:
        with writing("standard output" if self._target == "-" else self._target):
            self._file.write(codec.encode(trace) + b"\n")


class ListOutput:
    """Traces in memory, in input order: what the library's functions return."""

    resumes = False

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

    def finish(self, summary: Mapping[str, object]) -> None:
        pass

    def close(self) -> None:
        pass
