"""Traces for a person to judge: a seeded draw of a file, and the truth file of their answers.

The draw is stratified by how traces end, each kind in its share, seat by seat (Webster's rule), and
within a kind by a hash of the seed and the text. So every beginning of it is a fair sample too: an
audit may be ended anywhere, and a larger `-n` goes on from a smaller one.
"""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from prmdata.errors import UsageError
from prmdata.files import Unreadable, readable
from prmdata.files.codec import decode_trace, encode
from prmdata.files.paths import PARTS, is_remote, writing
from prmdata.intervals import clustered_wilson
from prmdata.records import Evidence, Trace, Verdict
from prmdata.truth import said

NAME = "audit"
Ending = Literal["wrong", "right", "all"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of a trace."""

    first_error: int | None = None
    """Index of the first wrong step, from 0; `None`: no step is wrong."""
    skipped: bool = False

    def __str__(self) -> str:
        if self.skipped:
            return "skipped"
        return "no step is wrong" if self.first_error is None else f"step {self.first_error + 1}"

    def verdicts(self, steps: int) -> tuple[Verdict | None, ...]:
        """Right up to the first wrong step; nobody looked at what comes after it."""
        if self.skipped:
            return ()
        verdicts: list[Verdict | None] = ["right"] * steps
        if self.first_error is not None:
            after = steps - self.first_error - 1
            verdicts[self.first_error :] = ["wrong", *[None] * after]
        return tuple(verdicts)


@dataclass(slots=True)
class Stratum:
    """The traces of one ending: how many there are, and the `most` with the smallest hashes."""

    most: int
    traces: int = 0
    _found: dict[int, tuple[Trace, int]] = field(default_factory=dict)
    _heap: list[int] = field(default_factory=list)

    def add(self, trace: Trace, place: int, key: int) -> None:
        self.traces += 1
        if key in self._found:  # the same text again: asked about once
            return
        self._found[key] = (trace, place)
        heapq.heappush(self._heap, -key)
        if len(self._heap) > self.most:
            del self._found[-heapq.heappop(self._heap)]

    def in_order(self) -> list[tuple[Trace, int]]:
        return [self._found[key] for key in sorted(self._found)]


@dataclass(slots=True)
class Draw:
    """A draw of `n` traces with distinct texts, or of all there are, in one pass."""

    n: int
    seed: int = 0
    only: Ending = "all"
    _strata: dict[bool | None, Stratum] = field(default_factory=dict)

    def add(self, trace: Trace, place: int = 0) -> None:
        if trace.error is None and trace.steps and _ends(trace, self.only):
            stratum = self._strata.setdefault(trace.correct, Stratum(self.n))
            stratum.add(trace, place, _hash(self.seed, trace))

    def drawn(self) -> list[tuple[Trace, int]]:
        """The traces, each with the place that it was added with."""
        strata = self._strata
        waiting = {ending: stratum.in_order() for ending, stratum in strata.items()}
        given = dict.fromkeys(strata, 0)
        drawn: list[tuple[Trace, int]] = []
        while len(drawn) < self.n:
            open_ones = [ending for ending in strata if given[ending] < len(waiting[ending])]
            if not open_ones:
                break
            ending = max(open_ones, key=lambda e: (strata[e].traces / (2 * given[e] + 1), str(e)))
            drawn.append(waiting[ending][given[ending]])
            given[ending] += 1
        return drawn


def draw(traces: Iterable[Trace | Unreadable], n: int, seed: int, only: Ending) -> list[Trace]:
    """`n` traces with distinct texts, or all there are."""
    drawing = Draw(n, seed, only)
    for trace in readable(traces):
        drawing.add(trace)
    return [trace for trace, _ in drawing.drawn()]


def _ends(trace: Trace, only: Ending) -> bool:
    return only == "all" or trace.correct is (only == "right")


def _hash(seed: int, trace: Trace) -> int:
    told = msgspec.json.encode([seed, said(trace)])
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big")


class Ledger:
    """The truth file: a record an answer, on disk before the next question; the last one counts."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.answers: dict[object, Answer] = {}
        if is_remote(path) or not path.endswith(".jsonl"):
            raise UsageError(f"-o {path}: answers are appended to a local file; name it *.jsonl")
        if Path(path).exists():
            self._read()

    def of(self, trace: Trace) -> Answer | None:
        return self.answers.get(said(trace))

    def keep(self, trace: Trace, answer: Answer) -> None:
        verdicts = answer.verdicts(len(trace.steps))
        evidence = Evidence(NAME, "truth", verdicts=verdicts, stopping=str(answer))
        record = replace(trace, evidence=(evidence,), labels=None, stream=None)
        with writing(self.path):
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                line = encode(record) + b"\n"
                while line:
                    line = line[os.write(file, line) :]
                os.fsync(file)
            finally:
                os.close(file)
        self.answers[said(trace)] = answer

    def _read(self) -> None:
        data = Path(self.path).read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            trace = decode_trace(line, f"{self.path}:{number}")
            evidence = trace.evidence_named(NAME)
            if evidence is None or evidence.kind != "truth":
                raise UsageError(
                    f"-o {self.path}: line {number} is no answer of `prmdata audit`; choose "
                    "another file"
                )
            self.answers[said(trace)] = _answer(evidence)
        if whole < len(data):  # the end of a write that the power cut
            with writing(self.path):
                os.truncate(self.path, whole)


def _answer(evidence: Evidence) -> Answer:
    """Where somebody could not tell of a step before it, there is no first wrong one."""
    first = evidence.first_wrong
    judged = evidence.verdicts if first is None else evidence.verdicts[:first]
    if not evidence.verdicts or any(verdict != "right" for verdict in judged):
        return Answer(skipped=True)
    return Answer(first)


def default_output(source: str) -> str:
    """`labelled.parquet` → `labelled.truth.jsonl`, beside it or, for a remote one, here."""
    source = source.rstrip("/")
    ending = next((end for end in PARTS if source.endswith(end)), "")
    stem = source.removesuffix(ending)
    return (stem.rsplit("/", 1)[-1] if is_remote(source) else stem) + ".truth.jsonl"


Counts = dict[str, tuple[int, int]]
"""Problem id → how many labels name exactly the first wrong step, of how many."""


def agreement(drawn: Iterable[Trace], ledger: Ledger) -> dict[str, Counts]:
    """By what the person said of a trace."""
    counts: dict[str, Counts] = {"all": {}, "with a wrong step": {}, "without one": {}}
    for trace in drawn:
        answer = ledger.of(trace)
        if trace.labels is None or answer is None or answer.skipped:
            continue
        exact = trace.labels.first_error == answer.first_error and not trace.labels.undecided
        kind = "without one" if answer.first_error is None else "with a wrong step"
        for name in ("all", kind):
            hits, of = counts[name].get(trace.problem.id, (0, 0))
            counts[name][trace.problem.id] = (hits + exact, of + 1)
    return counts


def agreement_lines(counts: Mapping[str, Counts]) -> list[str]:
    """Shares with their 95 % interval: Wilson's, for traces that come in problems."""
    lines = []
    for name, by_problem in counts.items():
        hits = sum(hits for hits, _ in by_problem.values())
        of = sum(of for _, of in by_problem.values())
        if of:
            low, high = clustered_wilson(list(by_problem.values()))
            share = f"{hits} of {of} exact, {hits / of:.0%} (95 % interval {low:.0%} to {high:.0%})"
            lines.append(f"{name:<18} {share}")
    return lines
