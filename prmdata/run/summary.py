"""What a run did, in numbers: for the closing line, `--summary` and the manifest."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from prmdata.records import Trace
from prmdata.sampler.storage.stored import Spending
from prmdata.trust import Trust

SPOKE = "evidence "
"""Stands before the name of evidence in `special`: the traces of which it says something."""
NESTED = ("special", "trust")
Ending = Literal["complete", "over budget", "interrupted", "failed"]


@dataclass(slots=True)
class Summary:
    """Counts of one stage. A trace is in one of right, wrong, unparsed, unknown, cut or failed."""

    stage: str
    ending: Ending = "failed"
    seconds: float = 0.0
    resumed: int = 0
    """Items taken over from an earlier run."""
    failed: int = 0
    problems: int = 0
    outside: int = 0
    """Problems of which no trace was kept."""
    traces: int = 0
    right: int = 0
    wrong: int = 0
    unparsed: int = 0
    """No final answer could be read."""
    without_answer: int = 0
    """Of the unparsed, those in which none was found."""
    unknown: int = 0
    """Not graded: the problem has no gold answer, or grading ran out of time."""
    cut: int = 0
    """Ended by the token limit; also counted as wrong where `--cut-is-wrong` asks for it."""
    labelled: int = 0
    unexamined: int = 0
    """Labelled without being looked into: right answers taken at their word, silent evidence."""
    undecided: int = 0
    """Labels that say nothing of any step."""
    first_errors: int = 0
    over_budget: int = 0
    """Problems in flight when the token budget ran out."""
    left: int | None = None
    """Items that were not reached, where the total is known."""
    tokens_spent: int = 0
    tokens_read: int = 0
    """Read for their probabilities; nothing was generated there."""
    sampler_calls: int = 0
    completions_sampled: int = 0
    completions_from_store: int = 0
    trust: Trust = field(default_factory=Trust)
    """What the labels believe of themselves."""
    special: Counter[str] = field(default_factory=Counter)
    """What only this stage counts."""
    warnings: list[str] = field(default_factory=list)
    """What somebody should know before using the output."""

    def add(self, traces: Iterable[Trace]) -> None:
        """Count the traces of one more problem."""
        self.problems += 1
        before = self.traces
        for trace in traces:
            self.traces += 1
            if trace.error is None:
                self._add(trace)
        self.outside += self.traces == before

    def _add(self, trace: Trace) -> None:
        cut = trace.finish == "length"
        unparsed = trace.correct is None and trace.grade == "unparsed"
        self.cut += cut
        self.unparsed += unparsed
        self.without_answer += unparsed and trace.answer is None
        self.right += trace.correct is True
        self.wrong += trace.correct is False
        self.unknown += trace.correct is None and not cut and not unparsed
        if trace.labels is not None:
            self.labelled += 1
            self.undecided += trace.labels.undecided
            self.unexamined += not (trace.labels.examined or trace.labels.undecided)
            self.first_errors += trace.labels.first_error is not None
            self.trust.add(trace)

    def add_spending(self, spending: Spending) -> None:
        self.tokens_spent = spending.tokens
        self.tokens_read = spending.scored
        self.sampler_calls = spending.calls
        self.completions_sampled = spending.sampled
        self.completions_from_store = spending.served

    def evidence_read(self) -> dict[str, int]:
        """What labels were decided from → the number of traces of which it says something."""
        counts = self.special.items()
        return {key.removeprefix(SPOKE): n for key, n in counts if key.startswith(SPOKE)}

    def as_dict(self) -> dict[str, object]:
        """All counts on one level, those of the stage included."""
        names = (field.name for field in dataclasses.fields(self) if field.name not in NESTED)
        counts = {name: getattr(self, name) for name in names}
        return {**counts, **self.trust.as_dict(), **self.special}
