"""What the list shows of a trace: its marks, and a short line of its question and beliefs."""

from __future__ import annotations

import msgspec

from prmdata.records import Trace
from prmdata.report.page import claims

FLAGS = {
    "right": 1,
    "wrong": 2,
    "cut": 4,
    "unparsed": 8,
    "failed": 16,
    "labelled": 32,
    "unexamined": 64,
    "undecided": 128,
    "unsure": 256,
    "disputed": 512,
    "tool": 1024,
    "differs": 2048,
    "files": 4096,
    "branch": 8192,
}
"""Bits of a trace's marks: what chips choose by."""

SNIPPET = 110
CELLS = 48
"""Steps that the list draws; those of a longer trace share cells."""


def flags_of(trace: Trace, sources: dict[str, int], truth: int) -> int:
    labels = trace.labels
    marks = {
        "right": trace.correct is True,
        "wrong": trace.correct is False,
        "cut": trace.finish == "length",
        "unparsed": trace.grade == "unparsed",
        "failed": trace.error is not None,
        "branch": trace.origin.parent is not None,
        "disputed": len(set(sources.values())) > 1,
        "tool": claims.tool_contradicts(trace),
    }
    if labels is not None:
        claim = claims.of_labels(labels)
        marks["labelled"] = True
        marks["unexamined"] = not labels.examined
        marks["undecided"] = labels.undecided
        marks["unsure"] = labels.confidence is not None and labels.confidence < 0.5
        marks["differs"] = claims.SILENT not in (truth, claim) and truth != claim
    return sum(FLAGS[name] for name, holds in marks.items() if holds)


def head_of(trace: Trace) -> bytes:
    """`[id, question, beliefs]`: a digit from 0 to 9 a step, a space where nothing is believed."""
    question = " ".join(trace.problem.question[: 2 * SNIPPET].split())[:SNIPPET]
    return msgspec.json.encode([trace.id, question, beliefs(trace)])


def beliefs(trace: Trace) -> str:
    values = trace.labels.values if trace.labels else ()
    steps = len(trace.steps)
    if not values:
        return " " * min(steps, CELLS)
    if steps > CELLS:
        values = tuple(values[i * steps // CELLS] for i in range(CELLS))
    return "".join(" " if v is None else str(round(9 * min(max(v, 0.0), 1.0))) for v in values)
