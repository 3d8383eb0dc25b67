"""Counts over a file of traces: how they end, how long they are, what is known of their steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prmdata.errors import InputError
from prmdata.files import Unreadable, readable
from prmdata.records import Trace
from prmdata.traces.pseudo_gold import is_pseudo
from prmdata.trust import Trust


@dataclass(slots=True)
class Counts:
    """Sums over traces, added one by one."""

    of: Counter[str] = field(default_factory=Counter)
    problems: set[int] = field(default_factory=set)
    evidence: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    trust: Trust = field(default_factory=Trust)

    def add(self, trace: Trace) -> None:
        counts = self.of
        self.problems.add(hash(trace.problem.id))
        counts["traces"] += 1
        counts["failed"] += trace.error is not None
        counts["right"] += trace.correct is True
        counts["wrong"] += trace.correct is False
        if is_pseudo(trace.problem):
            counts["with pseudo-gold"] += 1
        counts["cut"] += trace.finish == "length"
        counts["unparsed"] += trace.grade == "unparsed"
        counts["steps"] += len(trace.steps)
        counts["tokens"] += trace.origin.tokens or 0
        self.evidence.update([e.name for e in trace.evidence])
        if trace.labels is not None:
            self.labelled[trace.labels.by] += 1
            self.trust.add(trace)
            counts["examined"] += trace.labels.examined
            counts["first errors"] += trace.labels.first_error is not None
            counts["labelling tokens"] += trace.labels.cost.tokens

    def figures(self) -> dict[str, object]:
        return {
            "problems": len(self.problems),
            **self.of,
            "mean steps": round(self.of["steps"] / max(self.of["traces"], 1), 2),
            "evidence": dict(self.evidence),
            "labelled by": dict(self.labelled),
            **({"labels": self.trust.as_dict()} if self.trust.traces else {}),
        }


def stats(traces: Iterable[Trace | Unreadable]) -> dict[str, object]:
    counts = Counts()
    for trace in readable(traces):
        counts.add(trace)
    if not counts.of["traces"]:
        raise InputError("the input is empty; there is nothing to count")
    return counts.figures()
