"""Rollouts as traces of their own, which name their parent in `origin.parent`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from prmdata.labellers.contract import tokens_left
from prmdata.records import Trace
from prmdata.sampler.protocol import SEED_SPACING
from prmdata.sampler.rollouts import Outcome
from prmdata.traces.generate import cut_steps


def branches(
    trace: Trace, after_step: int, outcomes: Sequence[Outcome]
) -> Iterator[tuple[Trace, Outcome]]:
    """A trace for each rollout that wrote something; one that ended at once adds no step."""
    for outcome in outcomes:
        if outcome.text.strip():
            yield _branch(trace, after_step, outcome), outcome


def _branch(trace: Trace, after_step: int, outcome: Outcome) -> Trace:
    """As `generate` would have left it: without an outcome it is neither right nor wrong.

    The same rollout has the same id in every run, and no other rollout has it.
    """
    request, number = divmod(outcome.seed, SEED_SPACING)
    return Trace(
        id=f"{trace.id}.{after_step}-{request % 16**4:04x}-{number}",
        problem=trace.problem,
        steps=trace.steps[:after_step]
        + (outcome.steps or cut_steps(outcome.text, trace.origin.steps)),
        answer=outcome.answer,
        correct=outcome.hit if outcome.ended else None,
        grade=None if outcome.grade == "cut" else outcome.grade,
        finish="length" if outcome.grade == "cut" else "stop",
        origin=replace(
            trace.origin,
            parent=(trace.id, after_step),
            sample=number,
            source={},
            tokens=(trace.origin.tokens or 0) - tokens_left(trace, after_step) + outcome.tokens,
        ),
        group=trace.group,
    )
