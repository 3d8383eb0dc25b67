"""Traces → a format's rows; what is left out on the way is counted by its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prmdata.dataset.balance import Balanced, sides
from prmdata.dataset.selection import Selection
from prmdata.dataset.sieve import Sieve
from prmdata.exports.contract import Acting, Format, Illustrated, LeftOut, Row, Sink
from prmdata.files import read_groups
from prmdata.records import Trace

AT_THEIR_WORD = "right answers taken at their word, which have no confidence"


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts what goes into a sink."""

    sink: Sink
    form: Format
    counts: Counter[str]
    split: str | None
    """Named in the counts, where there are several."""

    def write(self, row: Row) -> None:
        self.sink.write(row)
        self.counts["rows written"] += 1
        if self.split is not None:
            self.counts[f"rows in {self.split}"] += 1
        self.form.tally(row, self.counts)


def write_rows(
    traces: Iterable[Trace],
    form: Format,
    selection: Selection,
    sinks: Mapping[str, Sink],
    counts: Counter[str],
    sieve: Sieve,
    folder: Path | None = None,
    note: Callable[[Trace], None] = lambda trace: None,
) -> None:
    """Write what can be written, each row to the sink of its problem's split.

    `folder` is where rows may wait on the disk. `note` hears of the traces behind the rows, also
    of those rows that balancing leaves out in the end.
    """
    ways: dict[str, Sink] = {
        name: Counted(sink, form, counts, name if selection.split else None)
        for name, sink in sinks.items()
    }
    held: list[Balanced] = []
    if selection.balance is not None:
        positive = sides(form).positive
        for name, way in ways.items():
            held.append(Balanced(way, positive, selection.balance, folder))
            ways[name] = held[-1]
    for group in _groups(_selected(traces, form, sieve, counts), form):
        try:
            rows = list(form.rows(group))
        except LeftOut as reason:
            counts[f"left out: {reason}"] += len(group)
            continue
        for trace in group:
            note(trace)
        way = ways[selection.split_of(group[0].problem.id)]
        for row in rows:
            way.write(row)
    if held:
        counts["left out: more than of the other side"] += sum(way.pour() for way in held)


def _selected(
    traces: Iterable[Trace], form: Format, sieve: Sieve, counts: Counter[str]
) -> Iterator[Trace]:
    for trace in traces:
        counts["traces read"] += 1
        reason = _unfit(trace, form) or sieve.against(trace)
        if reason is None:
            if sieve.exempts(trace):
                counts[AT_THEIR_WORD] += 1
            yield trace
        else:
            counts[f"left out: {reason}"] += 1


def _unfit(trace: Trace, form: Format) -> str | None:
    if trace.problem.images and not isinstance(form, Illustrated):
        return "images, for which this layout has no place"
    if trace.acts and not (isinstance(form, Acting) and form.acts):
        return (
            "a chat with tools, for which this layout has no place (messages, stepwise and credit "
            "have one; sft, pairs and kto with layout=tools)"
        )
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
