"""The task a generative judge is given, its verdict, and the reasons that notes provide."""

from __future__ import annotations

from typing import Literal

from prmdata.exports.shapes.verdicts import evidence_behind
from prmdata.records import Evidence, Labels, Trace

IndexBase = Literal[0, 1]
Source = Literal["notes", "none", "contradicts the labels"]
CONTRADICTS: Source = "contradicts the labels"
Notes = tuple[str | None, ...]

TASK = """\
A problem and a solution to it follow. The solution is cut into paragraphs, numbered from {base} \
by the tags around them. Check them one after another, and find the first one that holds an error. \
End with its number in \\boxed{{}}, or with \\boxed{{-1}} where no paragraph holds one.

Problem:
{question}

Solution:
{paragraphs}"""


def task(trace: Trace, base: IndexBase) -> str:
    """The whole trace in tagged paragraphs, and what to find in it."""
    paragraphs = (
        f"<paragraph_{number}>\n{step.text.strip()}\n</paragraph_{number}>"
        for number, step in enumerate(trace.steps, base)
    )
    return TASK.format(
        base=base, question=trace.problem.question.strip(), paragraphs="\n\n".join(paragraphs)
    )


def answer(index: int, notes: Notes, base: IndexBase) -> str:
    """The reasons, paragraph by paragraph, and the verdict in a box."""
    reasons = [f"Paragraph {n}: {note.strip()}" for n, note in enumerate(notes, base) if note]
    return "\n\n".join([*reasons, f"\\boxed{{{index}}}"])


def reasons(trace: Trace, labels: Labels) -> tuple[Notes, Source]:
    """Notes up to the first wrong step. Notes that argue for another verdict teach nothing."""
    evidence = _noted(trace)
    if evidence is None:
        return (), "none"
    if evidence.verdicts and evidence.first_wrong != labels.first_error:
        return (), CONTRADICTS
    end = len(trace.steps) if labels.first_error is None else labels.first_error + 1
    notes = evidence.notes[:end]
    return (notes, "notes") if any(notes) else ((), "none")


def _noted(trace: Trace) -> Evidence | None:
    """The evidence that the labels rest on comes first; the truth is for measuring, not reading."""
    candidates = [*reversed(evidence_behind(trace)), *reversed(trace.evidence)]
    return next((e for e in candidates if any(e.notes) and e.kind != "truth"), None)
