"""Asking for one step in the place of the first wrong one, and what makes an answer unfit.

The model sees a reference solution, so it could give the answer away: a step that states it, or
that copies the reference, is a leak and is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prmdata.records import Message, Trace

INSTRUCTION = """\
Below are a problem, a reference solution, and a student's solution in numbered steps. The student's
answer is wrong. Find the first step that is wrong, and write one step that should stand in its
place: in the student's words and style, as the next step after the ones before it, and no more than
that one step. Do not state the final answer unless the step itself computes it, and do not copy the
reference solution.

Reply with nothing but:
<step>the number of the first wrong step</step>
<replacement>the step to write in its place</replacement>"""
REPLY = re.compile(r"<step>\s*(\d{1,6})\s*</step>\s*<replacement>(.*?)</replacement>", re.DOTALL)
COPIED = 13
"""Words in a row that the reference has too: a copy."""


@dataclass(frozen=True, slots=True)
class Proposal:
    step: int
    """Index (from 0) of the step that it replaces."""
    text: str


def question(trace: Trace, reference: str) -> tuple[Message, ...]:
    steps = "\n".join(f"Step {n}: {step.text.strip()}" for n, step in enumerate(trace.steps, 1))
    text = (
        f"{INSTRUCTION}\n\n## Problem\n{trace.problem.question}\n\n## Reference solution\n"
        f"{reference}\n\n## Student's solution\n{steps}"
    )
    return ({"role": "user", "content": text},)


def proposal_in(reply: str, trace: Trace) -> Proposal | None:
    """The last one that it makes; `None` where it makes none, or for no step there is."""
    found = REPLY.findall(reply)
    if not found:
        return None
    number, text = int(found[-1][0]), found[-1][1].strip()
    if not text or not 1 <= number <= len(trace.steps):
        return None
    wrong = trace.steps[number - 1].text
    ending = wrong[len(wrong.rstrip()) :] or "\n"  # steps are parted as in the trace
    return Proposal(number - 1, text + ending)


def leak_in(proposal: Proposal, trace: Trace, reference: str) -> str | None:
    """How it gives away what only the reference knows."""
    known = f"{trace.problem.question} {trace.prefix(proposal.step)}"
    for gold in trace.problem.golds:
        if states(proposal.text, gold) and not states(known, gold):
            return "states the answer"
    if set(_runs(proposal.text)) & set(_runs(reference)):
        return "copies the reference"
    return None


def states(text: str, answer: str) -> bool:
    """Whether the answer stands in the text, by itself and not within another word or number."""
    inside = re.escape(answer.strip())
    return bool(inside) and bool(re.search(rf"(?<![\w.]){inside}(?![\w]|\.\d)", text))


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return (tuple(words[i : i + COPIED]) for i in range(len(words) - COPIED + 1))
