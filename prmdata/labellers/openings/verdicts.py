"""A trace with a verdict after every step, read once by a model that judges."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from prmdata.errors import ItemError
from prmdata.records import Message, Trace
from prmdata.sampler.protocol import MOST_LIKELY, Likely, Scored
from prmdata.sampler.rollouts import Rollouts

ASKED = """Here is a problem and a solution to it. Check the steps of the solution one by one, and
write after each of them whether it is {right} or {wrong}.

Problem:
{question}
"""
MARK = "Verdict:"


@dataclass(frozen=True, slots=True)
class Judged:
    odds: tuple[float, ...]
    """Of each step: the log-odds that it is called wrong, where all before it were called right."""


async def judged(rollouts: Rollouts, trace: Trace, right: str, wrong: str) -> Judged:
    question = ASKED.format(right=right, wrong=wrong, question=trace.problem.question)
    messages: tuple[Message, ...] = ({"role": "user", "content": question},)
    text, marks = written(trace, right)
    read = await rollouts.score(trace, 0, text, messages=messages, top=MOST_LIKELY)
    return Judged(tuple(_odds(read, mark, right, wrong, trace) for mark in marks))


def written(trace: Trace, right: str) -> tuple[str, list[int]]:
    """The solution with "right" after every step, and where each of these words begins.

    A step that writes the mark itself would answer for the judge: its mark is broken.
    """
    text, marks = "", []
    for number, step in enumerate(trace.steps, 1):
        said = step.text.strip().replace(MARK, MARK.replace(":", " :"))
        text += f"Step {number}:\n{said}\n{MARK}"
        marks.append(len(text))
        text += f" {right}\n\n"
    return text, marks


def _odds(read: Scored, mark: int, right: str, wrong: str, trace: Trace) -> float:
    place = bisect_left(read.starts, mark)
    if place >= len(read.top) or read.starts[place] > mark + 1:
        raise ItemError(f"trace {trace.id}: no token begins where a verdict does")
    seen = read.top[place]
    least = min((p for _, p in seen), default=0.0)
    called_right = _mass(seen, right)
    called_wrong = _mass(seen, wrong)
    # A word that is not among those shown is less likely than the least of them.
    return (least if called_wrong is None else called_wrong) - (
        read.logprobs[place] if called_right is None else called_right
    )


def _mass(seen: Likely, word: str) -> float | None:
    """The log-probability of the tokens that begin a word, with or without the space before it."""
    begins = [p for token, p in seen if _begins(token, word)]
    return math.log(sum(map(math.exp, begins))) if begins else None


def _begins(token: str, word: str) -> bool:
    bare = token.strip().lower()
    return bool(bare) and word.lower().startswith(bare)
