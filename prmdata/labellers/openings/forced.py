"""Answers that a model is made to give after some steps."""

from __future__ import annotations

from prmdata.labellers.openings.opening import Style, opening_after
from prmdata.records import Trace
from prmdata.sampler.rollouts import Outcome, Rollouts


async def forced(
    rollouts: Rollouts,
    trace: Trace,
    after_step: int,
    n: int,
    *,
    style: Style,
    temperature: float | None,
    tokens: int,
) -> list[Outcome] | None:
    """n answers, graded; `None` where no answer can be opened."""
    opening = opening_after(rollouts.text_before(trace, after_step), trace, style)
    if opening is None:
        return None
    return await rollouts.answers(
        trace, after_step, n, opening=opening.before, read=opening.graded,
        temperature=temperature, max_tokens=tokens,
    )  # fmt: skip
