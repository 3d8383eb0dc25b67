"""Records ↔ bytes: JSON lines and Parquet, files and pipes, local and remote."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from prmdata.errors import InputError, StreamCut, UsageError
from prmdata.files import jsonl, parquet, paths
from prmdata.files.codec import Unreadable, decode_trace
from prmdata.records import Trace

__all__ = [
    "Unreadable",
    "count_hint",
    "read_groups",
    "read_traces",
    "readable",
    "write_traces",
]

PART_TRACES = 50_000


def read_traces(source: str) -> Iterator[Trace | Unreadable]:
    """Traces of a file, a directory of parts or `-`."""
    last: str | None = None
    for part in paths.parts_of(source):
        for trace in _read_part(part):
            if isinstance(trace, Trace):
                last = trace.stream
                trace = replace(trace, stream=None) if last else trace
            yield trace
    if last == "more":
        raise _cut(source)


def _cut(source: str) -> StreamCut:
    if paths.is_stream(source):
        name = "standard input" if source == "-" else source
        return StreamCut(
            f"{name} ended without its end mark: the stage before this one stopped early "
            "(or a filter dropped the last line). Nothing was finished here; run the same "
            "command again to go on"
        )
    return StreamCut(
        f"{source} ends without the end mark of the pipe it was written from (by tee?): that pipe "
        "was cut, or the last line was dropped. Make the file again; if it is meant to be a part, "
        "take the marks out: jq -c 'del(.stream)'"
    )


def _read_part(part: str) -> Iterator[Trace | Unreadable]:
    _refuse_table(part)
    if paths.format_of(part) == "parquet":
        yield from parquet.read_traces(part)
        return
    for line, where in jsonl.read_lines(part):
        try:
            yield decode_trace(line, where)
        except InputError as error:
            yield Unreadable(where, str(error))


def _refuse_table(part: str) -> None:
    if paths.is_table(part):
        raise InputError(
            f"{part}: a table holds rows, not traces; `prmdata import` makes traces of solutions, "
            "`prmdata generate` samples them for problems"
        )


def readable(traces: Iterable[Trace | Unreadable]) -> Iterator[Trace]:
    """The traces, where none may be missing: the first unreadable one ends the run."""
    for trace in traces:
        if isinstance(trace, Unreadable):
            raise InputError(trace.reason)
        yield trace


def read_groups(
    traces: Iterable[Trace | Unreadable],
) -> Iterator[list[Trace] | Unreadable]:
    """A problem's traces together. They stand together on the wire; a split group is an error."""
    seen: set[int] = set()
    group: list[Trace] = []
    for trace in traces:
        if isinstance(trace, Unreadable):
            yield trace
            continue
        if group and trace.problem.id != group[0].problem.id:
            yield _distinct(group)
            group = []
        if not group:
            key = hash(trace.problem.id)
            if key in seen:
                raise InputError(
                    f"problem {trace.problem.id} comes up again after other problems: a problem's "
                    "traces must stand together. Sort the file by problem id "
                    "(`prmdata merge FILE -o SORTED`)"
                )
            seen.add(key)
        group.append(trace)
    if group:
        yield _distinct(group)


def _distinct(group: list[Trace]) -> list[Trace]:
    ids = [trace.id for trace in group]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise InputError(
            f"trace id {twice} occurs twice in problem {group[0].problem.id}: ids must be unique "
            "(if two runs were joined, give each its own --seed)"
        )
    return group


def write_traces(path: str, traces: Iterable[Trace], target: str | None = None) -> int:
    """Write `traces` to the local `path` in the format that `target` (or `path`) names."""
    target = target or path
    kind = paths.format_of(target)
    if kind == "stream":
        raise UsageError("a pipe is written line by line, not as a file")
    if kind == "directory":
        return _write_parts(path, traces)
    with open(path, "wb") as raw:  # noqa: PTH123 (mypy knows the mode)
        if kind == "parquet":
            return parquet.write_traces(raw, traces)
        with paths.packed(target, raw) as writer:
            return jsonl.write_traces(writer, traces)


def _write_parts(path: str, traces: Iterable[Trace]) -> int:
    Path(path).mkdir(parents=True, exist_ok=True)
    total = 0
    iterator = iter(traces)
    for number, first in enumerate(iterator):
        part = f"{path}/part-{number:05d}.parquet"
        total += write_traces(part, _chunk(first, iterator))
    return total


def _chunk(first: Trace, rest: Iterator[Trace]) -> Iterator[Trace]:
    """Up to `PART_TRACES` traces. A problem may span two parts: parts are read as one."""
    yield first
    yield from itertools.islice(rest, PART_TRACES - 1)


def count_hint(source: str) -> int | None:
    """How many traces a source holds, where that is cheap to know."""
    if paths.is_stream(source):
        return None
    total = 0
    for part in paths.parts_of(source):
        _refuse_table(part)
        if paths.format_of(part) == "parquet":
            total += parquet.count_rows(part)
        elif paths.is_remote(part) or paths.is_packed(part):
            return None
        else:
            with paths.open_bytes(part) as raw:
                total += sum(block.count(b"\n") for block in iter(lambda: raw.read(1 << 20), b""))
    return total
