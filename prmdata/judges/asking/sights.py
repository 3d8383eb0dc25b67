"""What a judge is shown of a trace: the problem, the steps between tags, and what `sees` adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from prmdata.errors import ItemError
from prmdata.records import Step, Trace

Sees = Literal["nothing", "answer", "solution", "verdicts", "context"]
"""Beside the problem and the steps: nothing, the gold answer, the reference solution, what
verifiers have found, or the documents and tools of the problem."""
LONGEST = 20_000
"""Characters of what is shown beside the steps."""


def fields(trace: Trace, sees: Sees = "nothing", kept: int | None = None) -> dict[str, str]:
    """What a prompt may hold of the trace, by field; `kept`: of its first steps alone."""
    steps = trace.steps[:kept]
    return {
        "question": trace.problem.question.strip(),
        "steps": tagged(trace, "step", 1, kept),
        "paragraphs": tagged(trace, "paragraph", 0, kept),
        "lines": "".join(step.text for step in steps),
        "numbered": "\n".join(_numbered(n, shown(step)) for n, step in enumerate(steps, 1)),
        "count": str(len(steps)),
        "seen": seen(trace, sees),
    }


def tagged(trace: Trace, tag: str, base: int, kept: int | None = None) -> str:
    """Each step between tags with its number."""
    return tagged_texts([shown(step) for step in trace.steps[:kept]], tag, base)


def tagged_texts(texts: Sequence[str], tag: str, base: int) -> str:
    """Each text between tags with its number; none can close its own tag."""
    return "\n".join(
        f"<{tag}_{number}>\n{_fenced(text, tag)}\n</{tag}_{number}>"
        for number, text in enumerate(texts, base)
    )


def _numbered(number: int, text: str) -> str:
    return text if text.startswith(f"Step {number}:") else f"Step {number}: {text}"


def shown(step: Step) -> str:
    """The words of a step, with what its tool gave back where that is not a step of its own."""
    text = step.text.strip()
    if step.kind == "tool_call" and (answer := step.observation):
        text += f"\n[the tool answers] {answer[:LONGEST]}"
    return text


def _fenced(text: str, tag: str) -> str:
    return text.replace(f"</{tag}_", f"</ {tag}_").replace(f"<{tag}_", f"< {tag}_")


def seen(trace: Trace, sees: Sees) -> str:
    """What the judge is told beside the steps; a trace that has nothing of the kind is refused."""
    if sees == "nothing":
        return ""
    found = {
        "answer": _answer,
        "solution": _solution,
        "verdicts": _verdicts,
        "context": _context,
    }[sees](trace)
    if not found:
        raise ItemError(f"trace {trace.id} has no {NOUNS[sees]} that a judge could see")
    return found[:LONGEST].rstrip() + "\n\n"


NOUNS: Mapping[str, str] = {
    "answer": "gold answer",
    "solution": "reference solution",
    "verdicts": "verdicts of a verifier",
    "context": "documents or tools",
}


def _answer(trace: Trace) -> str:
    golds = trace.problem.golds
    return f"The right answer is: {' or '.join(golds)}" if golds else ""


def _solution(trace: Trace) -> str:
    found = trace.problem.context.get("solution") or trace.problem.context.get("reference")
    return f"A right solution is:\n<reference>\n{found}\n</reference>" if found else ""


def _verdicts(trace: Trace) -> str:
    lines = [
        f"Step {at}: {e.name} says {verdict}" + (f" ({note})" if note else "")
        for e in trace.evidence
        if e.kind == "verdicts" and e.checked_by != "judge"
        for at, (verdict, note) in enumerate(
            zip(e.verdicts, e.notes or (None,) * len(e.verdicts), strict=True), 1
        )
        if verdict in ("right", "wrong")
    ]
    return "Tools have found:\n" + "\n".join(lines) if lines else ""


def _context(trace: Trace) -> str:
    context = trace.problem.context
    found = {name: context[name] for name in ("documents", "tools", "system") if context.get(name)}
    return f"What was at hand:\n{json.dumps(found, ensure_ascii=False)}" if found else ""
