"""A gold answer for a problem that has none: what most of its traces answer.

It is no truth: where a policy is mostly wrong, so is its majority. The problem says so in
`meta.gold`, and whatever counts traces says how many have such an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prmdata.errors import UsageError
from prmdata.grading import canonical
from prmdata.records import Problem, Trace

GOLD = "gold"
"""In a problem's meta: `majority .62`."""


def parse_gold(text: str) -> float:
    """`majority:0.6`: the least share."""
    name, mark, share = text.partition(":")
    try:
        least = float(share) if mark else 0.5
    except ValueError:
        least = -1.0
    if name != "majority" or not 0 <= least <= 1:
        raise UsageError(f"--gold {text}: write majority or majority:SHARE, like majority:0.6")
    return least


def is_pseudo(problem: Problem) -> bool:
    return isinstance(problem.meta.get(GOLD), str)


def with_majority(problem: Problem, traces: Sequence[Trace], least: float) -> Problem:
    """The problem with the answer of most of its traces, where at least this share of those that
    have an answer agree and no other answer has as many; else the same problem."""
    if problem.golds or problem.kind == "code":
        return problem
    answers = [trace.answer for trace in traces if trace.answer is not None]
    counts = Counter(canonical(answer) for answer in answers).most_common(2)
    if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return problem
    name, count = counts[0]
    share = count / len(answers)
    if share < least:
        return problem
    answer = next(answer for answer in answers if canonical(answer) == name)
    meta = {**problem.meta, GOLD: f"majority {share:.2f}"}
    return replace(problem, answer=answer, meta=meta)
