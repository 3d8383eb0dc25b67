"""Traces → a format's rows; what is left out on the way is counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from prmdata.dataset.contract import Format, LeftOut, Row
from prmdata.dataset.selection import Selection
from prmdata.files import read_groups
from prmdata.records import Trace


class Sink(Protocol):
    def write(self, row: Row) -> None: ...


def write_rows(
    traces: Iterable[Trace],
    form: Format,
    selection: Selection,
    sinks: Mapping[str, Sink],
    counts: Counter[str],
) -> None:
    """Write what can be written, each row to the sink of its problem's split."""
    for group in _groups(_selected(traces, form, selection, counts), form):
        try:
            rows = list(form.rows(group))
        except LeftOut as reason:
            counts[f"left out: {reason}"] += len(group)
            continue
        split = selection.split_of(group[0].problem.id)
        for row in rows:
            sinks[split].write(row)
            counts["rows written"] += 1
            if selection.split:
                counts[f"rows in {split}"] += 1
            form.tally(row, counts)


def _selected(
    traces: Iterable[Trace], form: Format, selection: Selection, counts: Counter[str]
) -> Iterator[Trace]:
    taken: Counter[int] = Counter()
    for trace in traces:
        counts["traces read"] += 1
        problem = hash(trace.problem.id)
        reason = _unfit(trace, form) or selection.against(trace, taken[problem])
        if reason is None:
            if selection.per_problem is not None:
                taken[problem] += 1
            yield trace
        else:
            counts[f"left out: {reason}"] += 1


def _unfit(trace: Trace, form: Format) -> str | None:
    if not form.labelled:
        return None
    if trace.error is not None:
        return "failed"
    if trace.labels is None:
        return "cut, no labels" if trace.finish == "length" else "no labels"
    return None


def _groups(traces: Iterable[Trace], form: Format) -> Iterator[list[Trace]]:
    """What `form` sees at once; only one problem's traces are ever held."""
    if not form.grouped:
        yield from ([trace] for trace in traces)
        return
    for group in read_groups(traces):
        if isinstance(group, list):
            yield group
