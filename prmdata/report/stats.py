"""Counts over a file of traces: how they end, how long they are, what is known of their steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from prmdata.errors import InputError
from prmdata.files import Unreadable, readable
from prmdata.records import Trace
from prmdata.trust import Trust


def stats(traces: Iterable[Trace | Unreadable]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    problems: set[int] = set()
    steps: Counter[int] = Counter()
    evidence: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    trust = Trust()
    for trace in readable(traces):
        problems.add(hash(trace.problem.id))
        counts["traces"] += 1
        counts["failed"] += trace.error is not None
        counts["right"] += trace.correct is True
        counts["wrong"] += trace.correct is False
        counts["cut"] += trace.finish == "length"
        counts["unparsed"] += trace.grade == "unparsed"
        counts["steps"] += len(trace.steps)
        counts["tokens"] += trace.origin.tokens or 0
        steps[len(trace.steps)] += 1
        evidence.update(e.name for e in trace.evidence)
        if trace.labels is not None:
            labelled[trace.labels.by] += 1
            trust.add(trace)
            counts["examined"] += trace.labels.examined
            counts["first errors"] += trace.labels.first_error is not None
            counts["labelling tokens"] += trace.labels.cost.tokens
    if not counts["traces"]:
        raise InputError("the input is empty; there is nothing to count")
    return {
        "problems": len(problems),
        **counts,
        "mean steps": round(counts["steps"] / counts["traces"], 2),
        "evidence": dict(evidence),
        "labelled by": dict(labelled),
        **({"labels": trust.as_dict()} if trust.traces else {}),
    }
