"""`export`: labelled traces → what a trainer reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prmdata.dataset import Format
from prmdata.dataset.card import card
from prmdata.dataset.contract import Accompanied
from prmdata.dataset.writer import RowWriter, write_rows
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, paths, read_traces
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

    def settings(self) -> dict[str, Any]:
        return {"format": self.name, **{f"set {k}": v for k, v in settings_of(self.form).items()}}

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
    beside = asked.form.beside() if isinstance(asked.form, Accompanied) else {}
    if beside and paths.format_of(target) != "directory":
        raise UsageError(
            f"{target}: this layout is read together with {', '.join(beside)} beside the data; "
            "write it to a directory (a name without an ending)"
        )
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


def _write(asked: Exporting, traces: Iterator[Trace], path: Path, target: str) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    methods: dict[str, None] = {}
    writer = RowWriter(path, target, asked.form.schema())
    try:
        write_rows(_noting(traces, methods), asked.form, writer, counts)
        files = writer.close()
    except BaseException:
        writer.abandon()
        raise
    if not counts:
        raise InputError("export: the input is empty; there is nothing to write")
    if not counts.get("rows written"):
        reasons = ", ".join(f"{n} {what}" for what, n in counts.items() if what != "traces read")
        raise InputError(
            f"export: none of {counts['traces read']} traces could be written as {asked.name} "
            f"({reasons}); label them first with `prmdata label`"
        )
    if files:
        beside = asked.form.beside() if isinstance(asked.form, Accompanied) else {}
        name = target.rstrip("/").rsplit("/", 1)[-1]
        with writing(target):
            text = card(name, asked.name, files, counts, ", ".join(methods))
            for file, content in {"README.md": text, **beside}.items():
                (path / file).write_text(content, encoding="utf-8")
    return {"stage": "export", "format": asked.name, **counts}


def _noting(traces: Iterable[Trace], methods: dict[str, None]) -> Iterator[Trace]:
    for trace in traces:
        if trace.labels is not None:
            methods[trace.labels.by] = None
        yield trace


def _sound(traces: Iterable[Trace | Unreadable], failures: Failures) -> Iterator[Trace]:
    for trace in traces:
        if isinstance(trace, Unreadable):
            failures.note([trace.as_trace()], frozenset())
            failures.check()
        else:
            failures.note([trace], frozenset([trace.id]))
            yield trace
    failures.check(final=True)
