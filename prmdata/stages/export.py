"""`export`: labelled traces → what a trainer reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from prmdata import __version__
from prmdata.dataset import Format
from prmdata.dataset.card import MANIFEST, card, manifest
from prmdata.dataset.contract import Accompanied, Row
from prmdata.dataset.provenance import Provenance
from prmdata.dataset.rows import write_rows
from prmdata.dataset.selection import Selection
from prmdata.dataset.shuffle import ShuffledWriter
from prmdata.dataset.writer import RowWriter
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, paths, read_traces
from prmdata.files.codec import checked
from prmdata.files.paths import writing
from prmdata.records import Trace
from prmdata.run.engine import ErrorLimit, Failures
from prmdata.run.manifest import input_state
from prmdata.run.output import FileOutput
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Exporting:
    name: str
    form: Format
    source: str | None = None
    selection: Selection = Selection()

    def settings(self) -> dict[str, Any]:
        chosen = {f"set {k}": v for k, v in settings_of(self.form).items()}
        return {"format": self.name, **chosen, **settings_of(self.selection)}

    def inputs(self) -> dict[str, str]:
        return {} if self.source is None else {self.source: input_state(self.source)}


def run_export(
    asked: Exporting,
    target: str,
    *,
    overwrite: bool = False,
    max_errors: ErrorLimit | None = None,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> dict[str, Any] | None:
    """Write the dataset; the summary, or `None` where the target is up to date."""
    _check_target(asked, target)
    found = _sound(
        read_traces(asked.source or "-") if traces is None else traces,
        Failures(max_errors or ErrorLimit()),
    )
    if target == "-":
        return _write(asked, found, Path("-"), target)
    output = FileOutput(target, "export", asked.settings(), asked.inputs(), overwrite=overwrite)
    try:
        if output.up_to_date:
            return None
        scratch = output.scratch()
        summary = _write(asked, found, scratch, target)
        output.place(scratch, summary)
    finally:
        output.close()
    return summary


def preview(
    asked: Exporting,
    rows: int = 3,
    *,
    max_errors: ErrorLimit | None = None,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> tuple[dict[str, Any], list[Row]]:
    """The summary of what would be written, and the first rows of it."""
    found = read_traces(asked.source or "-") if traces is None else traces
    sample = Sample(rows)
    counts: Counter[str] = Counter()
    sound = _sound(found, Failures(max_errors or ErrorLimit()))
    sinks = dict.fromkeys(asked.selection.splits, sample)
    write_rows(sound, asked.form, asked.selection, sinks, counts)
    return _summary(asked, counts), sample.rows


@dataclass(frozen=True, slots=True)
class Sample:
    """Keeps the first rows and forgets the rest."""

    size: int
    rows: list[Row] = field(default_factory=list)

    def write(self, row: Row) -> None:
        if len(self.rows) < self.size:
            self.rows.append(row)


def _check_target(asked: Exporting, target: str) -> None:
    """Several files need a folder to stand in, and readers of a whole folder know no splits."""
    beside, split = _beside(asked), asked.selection.split
    if beside and split:
        raise UsageError(
            "this layout's reader takes all of the folder for training, the other splits too; "
            "leave --split out and let the trainer hold rows back (val_size)"
        )
    kind = paths.format_of(target)
    if kind in ("directory", "parquet") and asked.form.schema() is None:
        raise UsageError(
            f"{target}: rows of {asked.name} are trees, which have no columns; write them to a "
            ".jsonl[.gz|.zst] file or to a pipe (-)"
        )
    if kind != "directory" and (beside or split):
        why = (
            f"is read together with {', '.join(beside)}" if beside else "has a file for each split"
        )
        raise UsageError(
            f"{target}: such a dataset {why}; write it to a directory (a name without an ending)"
        )


def _beside(asked: Exporting) -> Mapping[str, str]:
    return asked.form.beside() if isinstance(asked.form, Accompanied) else {}


def _write(asked: Exporting, traces: Iterator[Trace], path: Path, target: str) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    provenance = Provenance()
    splits = asked.selection.splits
    writers = {name: _writer(asked, path, target, name) for name in splits}
    try:
        write_rows(provenance.noting(traces), asked.form, asked.selection, writers, counts)
        summary = _summary(asked, counts)
        files = [file for writer in writers.values() for file in writer.close()]
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    if files:
        name = target.rstrip("/").rsplit("/", 1)[-1]
        with writing(target):
            text = card(name, asked.name, files, counts, asked.form.schema(), provenance)
            beside = {"README.md": text, **_beside(asked)}
            for file, content in beside.items():
                (path / file).write_text(content, encoding="utf-8")
            everything = [*beside, *files]
            facts = manifest(path, everything, asked.settings(), counts, __version__, provenance)
            (path / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
    return summary


def _writer(asked: Exporting, path: Path, target: str, split: str) -> RowWriter | ShuffledWriter:
    writer = RowWriter(path, target, asked.form.schema(), split)
    if asked.selection.shuffle is None:
        return writer
    return ShuffledWriter(writer, asked.selection.shuffle, None if target == "-" else path.parent)


def _summary(asked: Exporting, counts: Counter[str]) -> dict[str, Any]:
    if not counts:
        raise InputError("export: the input is empty; there is nothing to write")
    if not counts["rows written"]:
        reasons = ", ".join(f"{n} {what}" for what, n in counts.items() if what != "traces read")
        raise InputError(
            f"export: none of {counts['traces read']} traces could be written as {asked.name} "
            f"({reasons}); label them first with `prmdata label`"
        )
    return {"stage": "export", "format": asked.name, **counts}


def _sound(traces: Iterable[Trace | Unreadable], failures: Failures) -> Iterator[Trace]:
    for trace in traces:
        if isinstance(trace, Unreadable):
            failures.note([trace.as_trace()], frozenset())
            failures.check()
        else:
            failures.note([trace], frozenset([trace.id]))
            yield checked(trace, "export")
    failures.check(final=True)
