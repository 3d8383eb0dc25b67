"""Files of traces → rows: joined where they hold the same traces, counted, and packed.

Traces are the same when they say the same, whatever their ids; of a text that a file holds several
times, the first is the first's and so on. A file is read once, and nothing of it stays in memory
but a few numbers a trace.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from prmdata.audit.ledger import Draw
from prmdata.errors import InputError, StreamCut
from prmdata.files import Unreadable, read_traces
from prmdata.files.codec import encode
from prmdata.records import Evidence, Problem, Trace
from prmdata.report.page import claims
from prmdata.report.page.packing import Column, Pack
from prmdata.report.page.rollouts import RolloutTexts
from prmdata.report.page.rows import FLAGS, flags_of, head_of
from prmdata.report.page.sums import Sums
from prmdata.truth import said

NO_RECORD = -1
MOST_NOTES = 20
HEADS = 512
"""Short lines of the list in one chunk."""

Truth = Callable[[Trace], Evidence | None]
Progress = Callable[[int], None]


@dataclass(slots=True)
class Source:
    """One file: its records, and what each row's label in it says."""

    name: str
    sums: Sums
    pack: Pack = field(default_factory=Pack)
    unreadable: list[str] = field(default_factory=list)
    """What could not be read, and where; the first few."""
    unreadable_count: int = 0
    cut: str | None = None
    """The file ends before its end."""
    record: array[int] = field(default_factory=lambda: array("i"))
    """This and the next three have an entry a row."""
    first: array[int] = field(default_factory=lambda: array("i"))
    confidence: array[float] = field(default_factory=lambda: array("f"))
    tokens: array[float] = field(default_factory=lambda: array("f"))

    def grow(self, rows: int) -> None:
        missing = rows - len(self.record)
        self.record.extend([NO_RECORD] * missing)
        self.first.extend([claims.SILENT] * missing)
        self.confidence.extend([float("nan")] * missing)
        self.tokens.extend([float("nan")] * missing)

    def note(self, row: int, trace: Trace, record: bytes) -> None:
        self.grow(row + 1)
        self.record[row] = self.pack.add(record)
        labels = trace.labels
        if labels is not None:
            self.first[row] = claims.of_labels(labels)
            self.tokens[row] = labels.cost.tokens
            if labels.confidence is not None:
                self.confidence[row] = labels.confidence


@dataclass(slots=True)
class Gathering:
    """Rows, in the order of the first file; traces that only later ones hold come after."""

    truth_of: Truth
    drawing: Draw
    several: bool = False
    texts: RolloutTexts | None = None
    sources: list[Source] = field(default_factory=list)
    heads: Pack = field(default_factory=lambda: Pack(HEADS))
    flags: array[int] = field(default_factory=lambda: array("H"))
    steps: array[int] = field(default_factory=lambda: array("i"))
    problem: array[int] = field(default_factory=lambda: array("i"))
    truth: array[int] = field(default_factory=lambda: array("i"))
    disagreement: array[float] = field(default_factory=lambda: array("f"))
    _problems: dict[str, int] = field(default_factory=dict)
    _rows: dict[bytes, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.flags)

    @property
    def problems(self) -> int:
        return len(self._problems)

    def read(self, path: str, progress: Progress = lambda count: None) -> None:
        source = Source(path, Sums())
        self.sources.append(source)
        times: Counter[bytes] = Counter()
        for trace in self._traces(path, source):
            if isinstance(trace, Unreadable):
                source.unreadable_count += 1
                source.unreadable[MOST_NOTES:] = []
                source.unreadable.append(trace.reason)
                continue
            self._add(source, trace, times)
            if source.pack.records % 1000 == 0:
                progress(source.pack.records)
        source.unreadable[MOST_NOTES:] = []
        source.pack.flush()
        if not source.pack.records:
            raise InputError(_nothing(path, source))

    def finish(self) -> None:
        self.heads.flush()
        for source in self.sources:
            source.grow(self.rows)
        if len(self.sources) > 1:
            self._mark_differences()

    def close(self) -> None:
        for pack in (self.heads, *(source.pack for source in self.sources)):
            pack.close()

    def columns(self) -> dict[str, Column[int] | Column[float]]:
        found: dict[str, Column[int] | Column[float]] = {
            "flags": self.flags,
            "steps": self.steps,
            "problem": self.problem,
            "truth": self.truth,
            "disagreement": self.disagreement,
            "heads": self.heads.starts,
        }
        for number, source in enumerate(self.sources):
            found[f"record{number}"] = source.record
            found[f"first{number}"] = source.first
            found[f"confidence{number}"] = source.confidence
            found[f"tokens{number}"] = source.tokens
            found[f"chunks{number}"] = source.pack.starts
        return found

    def _traces(self, path: str, source: Source) -> Iterator[Trace | Unreadable]:
        try:
            yield from read_traces(path)
        except StreamCut as cut:
            source.cut = str(cut)

    def _add(self, source: Source, trace: Trace, times: Counter[bytes]) -> None:
        truth = self.truth_of(trace) if trace.error is None else None
        row = self._row(trace, times) if self.several else self.rows
        known = row < self.rows
        record = encode(_without_problem(trace) if known else trace)
        beside = encode(truth) if truth is not None and truth not in trace.evidence else b"null"
        texts = b"" if self.texts is None else b',"rollouts":' + encode(self.texts.of(trace))
        source.note(row, trace, b'{"trace":' + record + b',"truth":' + beside + texts + b"}")
        sources = claims.of_trace(trace)
        source.sums.add(trace, truth, sources)
        if known:
            spread = max(self.disagreement[row], claims.disagreement(sources))
            self.disagreement[row] = spread
            return
        self._add_row(trace, claims.of_truth(truth), sources)
        if len(self.sources) == 1:
            self.drawing.add(trace, row)

    def _add_row(self, trace: Trace, truth: int, sources: dict[str, int]) -> None:
        self.flags.append(flags_of(trace, sources, truth))
        self.steps.append(len(trace.steps))
        self.problem.append(self._problems.setdefault(trace.problem.id, len(self._problems)))
        self.truth.append(truth)
        self.disagreement.append(claims.disagreement(sources))
        self.heads.add(head_of(trace))

    def _row(self, trace: Trace, times: Counter[bytes]) -> int:
        name = hashlib.blake2b(msgspec.json.encode(said(trace)), digest_size=12).digest()
        key = name + times[name].to_bytes(4, "big")
        times[name] += 1
        return self._rows.setdefault(key, self.rows)

    def _mark_differences(self) -> None:
        first = np.array([np.array(source.first) for source in self.sources])
        there = first != claims.SILENT
        low = np.where(there, first, np.iinfo(np.int32).max).min(0)
        high = np.where(there, first, np.iinfo(np.int32).min).max(0)
        differ = (there.sum(0) > 1) & (low != high)
        flags = np.array(self.flags)
        truth = np.array(self.truth)
        missed = (there & (first != truth)).any(0) & (truth != claims.SILENT)
        flags |= (differ * FLAGS["files"]).astype(flags.dtype)
        flags |= (missed * FLAGS["differs"]).astype(flags.dtype)
        self.flags = array("H", flags.tobytes())
        spread = np.maximum(np.array(self.disagreement), differ)
        self.disagreement = array("f", spread.astype(np.float32).tobytes())


def _without_problem(trace: Trace) -> Trace:
    """What a further file adds to a trace that is there already."""
    return replace(trace, problem=Problem(trace.problem.id, ""), steps=())


def _nothing(path: str, source: Source) -> str:
    if source.unreadable:
        return f"{path} holds no trace that could be read: {source.unreadable[0]}"
    return f"{path} is empty: there is nothing to report on"
