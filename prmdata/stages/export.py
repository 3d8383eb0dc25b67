"""`export`: labelled traces → what a trainer reads."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from prmdata.dataset.card import MANIFEST, Told, card, manifest
from prmdata.dataset.contamination import file_name
from prmdata.dataset.provenance import Provenance
from prmdata.dataset.rows import write_rows
from prmdata.dataset.selection import Selection
from prmdata.dataset.shuffle import ShuffledWriter
from prmdata.dataset.sieve import Sieve
from prmdata.dataset.writer import RowWriter
from prmdata.errors import InputError, UsageError
from prmdata.exports import Format
from prmdata.exports.contract import Accompanied, Explained, Lined, Row, Tagged, Taught
from prmdata.files import Unreadable, paths, read_traces, rows
from prmdata.files.codec import checked
from prmdata.files.paths import writing
from prmdata.records import Trace
from prmdata.run.engine import ErrorLimit, Failures
from prmdata.run.manifest import states_of
from prmdata.run.target import FileOutput, is_up_to_date
from prmdata.settings import settings_of
from prmdata.stages.accuracy import Accuracy, read_score
from prmdata.version import VERSION

READ = "traces read"


@dataclass(frozen=True, slots=True)
class Exporting:
    name: str
    form: Format
    source: str | None = None
    selection: Selection = Selection()
    licence: str | None = None
    score: str | None = None
    """A file of `prmdata score --json`, for the card."""

    def settings(self) -> dict[str, object]:
        chosen = {f"set {k}": v for k, v in settings_of(self.form).items()}
        said = {"license": self.licence, "score": self.score}
        return {"format": self.name, **chosen, **settings_of(self.selection), **said}

    def inputs(self) -> dict[str, str]:
        read = [self.source, *self.selection.contamination, self.score]
        return states_of(*(path for path in read if path is not None))


def run_export(
    request: Exporting,
    target: str,
    *,
    overwrite: bool = False,
    max_errors: ErrorLimit | None = None,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> dict[str, object] | None:
    """Write the dataset; the summary, or `None` where the target is up to date."""
    _check_target(request, target)
    found = _sound(request, traces, Failures(max_errors or ErrorLimit()))
    if paths.is_stream(target):
        return _write(request, found, Path("-"), target)
    output = FileOutput(target, "export", request.settings(), request.inputs(), overwrite=overwrite)
    try:
        if output.up_to_date:
            return None
        scratch = output.scratch()
        summary = _write(request, found, scratch, target)
        output.place(scratch, summary)
    finally:
        output.close()
    return summary


def is_written(request: Exporting, target: str) -> bool:
    """Whether the target is there already, made of the same."""
    return is_up_to_date(target, "export", request.settings(), request.inputs())


def preview(
    request: Exporting,
    rows: int = 3,
    *,
    max_errors: ErrorLimit | None = None,
    traces: Iterable[Trace | Unreadable] | None = None,
) -> tuple[dict[str, object], list[Row]]:
    """The summary of what would be written, and the first rows of it."""
    sample = Sample(rows)
    counts: Counter[str] = Counter()
    sound = _sound(request, traces, Failures(max_errors or ErrorLimit()))
    sinks = dict.fromkeys(request.selection.splits, sample)
    sieve = Sieve(request.selection)
    write_rows(sound, request.form, request.selection, sinks, counts, sieve)
    return _summary(request, counts, sieve), sample.rows


@dataclass(frozen=True, slots=True)
class Sample:
    """Keeps the first rows and forgets the rest."""

    size: int
    rows: list[Row] = field(default_factory=list)

    def write(self, row: Row) -> None:
        if len(self.rows) < self.size:
            self.rows.append(row)


def _check_target(request: Exporting, target: str) -> None:
    """Several files need a folder to stand in, and readers of a whole folder know no splits."""
    beside, split = _beside(request), request.selection.split
    if beside and split:
        raise UsageError(
            "this layout's reader takes all of the folder for training, the other splits too; "
            "leave --split out and let the trainer hold rows back (val_size)"
        )
    kind = paths.format_of(target)
    if kind in ("directory", "parquet") and request.form.schema() is None:
        raise UsageError(
            f"{target}: rows of {request.name} are trees, which have no columns; write them to a "
            ".jsonl[.gz|.zst] file or to a pipe (-)"
        )
    if kind != "directory" and (beside or split):
        why = (
            f"is read together with {', '.join(beside)}" if beside else "has a file for each split"
        )
        raise UsageError(
            f"{target}: such a dataset {why}; write it to a directory (a name without an ending)"
        )


def _beside(request: Exporting) -> Mapping[str, str]:
    return request.form.beside() if isinstance(request.form, Accompanied) else {}


def _write(
    request: Exporting, traces: Iterator[Trace], path: Path, target: str
) -> dict[str, object]:
    counts: Counter[str] = Counter()
    provenance, accuracy, sieve = Provenance(), Accuracy(), Sieve(request.selection)
    scored = read_score(request.score) if request.score else {}
    writers = {name: _writer(request, path, target, name) for name in request.selection.splits}
    folder = _folder(path, target)

    def note(trace: Trace) -> None:
        provenance.note(trace)
        accuracy.note(trace)

    try:
        write_rows(traces, request.form, request.selection, writers, counts, sieve, folder, note)
        summary = _summary(request, counts, sieve)
        files = [file for writer in writers.values() for file in writer.close()]
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    if files:
        told = Told(
            provenance,
            request.licence,
            scored or accuracy.figures(),
            request.selection.told(),
            sieve.removed,
            _example(path, files),
            request.form.meanings if isinstance(request.form, Explained) else {},
            str(getattr(request.form, "layout", "")),
            request.form.hub_task if isinstance(request.form, Tagged) else "",
            _about(request.form),
            request.form.snippet if isinstance(request.form, Taught) else "",
        )
        _write_beside(request, path, target, files, counts, told)
    return summary


def _write_beside(
    request: Exporting, path: Path, target: str, files: list[str], counts: Counter[str], told: Told
) -> None:
    name = target.rstrip("/").rsplit("/", 1)[-1]
    with writing(target):
        text = card(name, request.name, files, counts, request.form.schema(), told)
        beside = {"README.md": text, **_beside(request)}
        for file, content in beside.items():
            (path / file).write_text(content, encoding="utf-8")
        everything = [*beside, *files]
        facts = manifest(path, everything, _public(request), counts, VERSION, told)
        (path / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")


def _example(path: Path, files: Sequence[str]) -> Mapping[str, object] | None:
    """The first row that was written."""
    row, _ = next(rows.read(str(path / files[0])), (None, ""))
    return row if isinstance(row, dict) else None


def _about(form: Format) -> str:
    """What the format's own file says of it, and of who reads it."""
    return inspect.cleandoc(sys.modules[type(form).__module__].__doc__ or "")


def _public(request: Exporting) -> dict[str, object]:
    """The settings, without where files stand on this machine."""
    files = [file_name(file) for file in request.selection.contamination]
    score = request.score and file_name(request.score)
    return {**request.settings(), "contamination": files, "score": score}


def _folder(path: Path, target: str) -> Path | None:
    """Where rows may wait: on the disk that will hold them."""
    return None if paths.is_stream(target) else path.parent


def _writer(request: Exporting, path: Path, target: str, split: str) -> RowWriter | ShuffledWriter:
    line = request.form.line if isinstance(request.form, Lined) else None
    writer = RowWriter(path, target, request.form.schema(), split, line)
    if request.selection.shuffle is None:
        return writer
    return ShuffledWriter(writer, request.selection.shuffle, _folder(path, target))


def _summary(request: Exporting, counts: Counter[str], sieve: Sieve) -> dict[str, object]:
    if not counts:
        raise InputError("the input is empty; there is nothing to write")
    if not counts["rows written"]:
        reasons = ", ".join(f"{n} {what}" for what, n in counts.items() if n and what != READ)
        advice = _advice(counts)
        raise InputError(
            f"none of {counts[READ]} traces could be written as {request.name} ({reasons}); "
            f"{advice}"
        )
    gone = len(sieve.removed)
    removed = {"problems left out": gone, "removed": sieve.removed} if gone else {}
    return {"stage": "export", "format": request.name, **counts, **removed}


def _advice(counts: Counter[str]) -> str:
    if any("neither rewards nor values" in what for what in counts):
        return "value their steps first with `prmdata estimate`"
    if any("unknown credit" in what for what in counts):
        return (
            "run `prmdata credit` first (--set start=… where the pass rate is unknown), or count "
            "such steps as 0: --set unknown=zero"
        )
    if any("labels" in what for what in counts):
        return "label them first with `prmdata label`"
    return "select less strictly, or look at them with `prmdata show`"


def _sound(
    request: Exporting, given: Iterable[Trace | Unreadable] | None, failures: Failures
) -> Iterator[Trace]:
    """The given traces, checked, or those of the source, which reading has checked."""
    for trace in read_traces(request.source or "-") if given is None else given:
        if isinstance(trace, Unreadable):
            failures.note([trace.as_trace()], frozenset())
            failures.check()
        else:
            failures.note([trace], frozenset([trace.id]))
            yield trace if given is None else checked(trace, "export")
    failures.check(final=True)
