"""What tools found about a step, and the verdict on it, in the tags of GroundedPRM's judge.

`<verify>` holds the tools' findings, `<judge>` what follows from them and what critics wrote, and
`<output>` the verdict in a box: + or -.
"""

from __future__ import annotations

from prmdata.records import Evidence, Trace

SYSTEM = """\
You check a solution one step at a time. For each step, say between <verify> and </verify> what a \
tool finds about it, weigh that between <judge> and </judge>, and give the verdict between \
<output> and </output>: \\boxed{+} for a step that is right, \\boxed{-} for one that is wrong."""


def verdict(trace: Trace, index: int, right: bool, note: str | None) -> str:
    """The judge's turn for one step; `note` is a reason that argues for this verdict.

    What tools found against it is left out: an argument for the contrary teaches nothing.
    """
    verify = "\n".join(findings(trace, index, right)) or "No tool settles this step."
    judge = f"This step is {'right' if right else 'wrong'}."
    reason = note.strip() if note else ""
    if reason and reason not in verify:
        judge = f"{reason}\n{judge}"
    mark = "+" if right else "-"
    return (
        f"<verify>\n{verify}\n</verify>\n"
        f"<judge>\n{judge}\n</judge>\n"
        f"<output>\n\\boxed{{{mark}}}\n</output>"
    )


def findings(trace: Trace, index: int, right: bool) -> list[str]:
    """What tools found that argues for this verdict on a step."""
    return [found for e in trace.evidence if (found := _finding(e, index, right))]


def _finding(evidence: Evidence, index: int, right: bool) -> str | None:
    """Of verdicts alone: values are no tool's word, and the truth is for measuring."""
    verdict = evidence.verdicts[index] if index < len(evidence.verdicts) else None
    if evidence.kind != "verdicts" or verdict != ("right" if right else "wrong"):
        return None
    note = evidence.notes[index] if index < len(evidence.notes) else None
    does = f"{evidence.name} {'confirms' if right else 'refutes'} it"
    return f"{does}: {note.strip()}" if note else f"{does}."
