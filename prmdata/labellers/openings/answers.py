"""How likely a model finds an answer after some steps, if it had to give one there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from prmdata.errors import ItemError
from prmdata.labellers.openings.opening import Style, opening_after
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.tasks import together

LONGEST = 800
"""Characters. What is longer is a text and not an answer: after its first words it is likely by
itself, whatever the steps before it say."""
TINY = 1e-8
"""Added to probabilities before their logarithm is taken."""


def gold_of(trace: Trace) -> tuple[str, ...]:
    """The answers that count as right, as they would be written."""
    golds = tuple(gold.strip() for gold in trace.problem.golds if gold.strip())
    if not golds:
        raise ItemError(
            f"trace {trace.id}: its problem has no gold answer to score; sample several traces "
            "and take clusters, or generate with --gold majority"
        )
    short = tuple(gold for gold in golds if len(gold) <= LONGEST)
    if not short:
        raise ItemError(
            f"trace {trace.id}: its gold answer has {len(golds[0]):,} characters, more than the "
            f"{LONGEST} of an answer that is given at once; faithfulness reads long references"
        )
    return short


async def likelihoods(
    rollouts: Rollouts, trace: Trace, after_step: int, answers: Sequence[str], style: Style
) -> list[float] | None:
    """Of each answer, opened after that step: the geometric mean of its tokens' probabilities.
    `None` where no answer can be opened."""
    opening = opening_after(rollouts.text_before(trace, after_step), trace, style)
    if opening is None:
        return None
    read = [
        rollouts.score(trace, after_step, opening.stated(answer), opening=opening.before)
        for answer in answers
    ]
    found = await together(*read)
    return [math.exp(scored.total / max(len(scored.logprobs), 1)) for scored in found]


async def by_step(
    rollouts: Rollouts, trace: Trace, answers: Sequence[str], style: Style
) -> list[list[float] | None]:
    """The likelihoods before the first step, after it, and so on to the last."""
    places = range(len(trace.steps) + 1)
    return await together(*(likelihoods(rollouts, trace, t, answers, style) for t in places))


def gains(p: Sequence[float | None], form: str = "log") -> tuple[float | None, ...]:
    """What each step adds; it is not known where one of the two values is not."""

    def between(before: float | None, after: float | None) -> float | None:
        if before is None or after is None:
            return None
        if form == "difference":
            return after - before
        return math.log(after + TINY) - math.log(before + TINY)

    return tuple(between(*pair) for pair in pairwise(p))
