"""Where a run's traces go: a pipe, memory, or (`target`) a file that appears whole."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from prmdata.files import codec
from prmdata.files.paths import is_pipe, writing
from prmdata.records import Trace


class Output(Protocol):
    def pin(self, name: str, value: str) -> None: ...
    def known(self, index: int, key: str) -> list[Trace] | None: ...
    def accept(self, index: int, key: str, traces: list[Trace]) -> None: ...
    def finish(self, summary: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


class StreamOutput:
    """Lines on standard output. In a pipe the last one carries an end mark, so one is held back."""

    def __init__(self) -> None:
        self._marked = is_pipe(1)
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
