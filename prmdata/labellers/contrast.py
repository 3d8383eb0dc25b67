"""One model, asked for a right and for a wrong solution (T-REG, arXiv 2412.02685).

A token's reward is σ(log π⁺ − log π⁻) − ½: how much better it fits an answer to "solve this
correctly" than one to "solve this with a mistake". A step gets the mean of its tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from prmdata.errors import SamplerError
from prmdata.labellers.certainty import read_once
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.reading import tokens_of
from prmdata.records import Cost, Evidence, Message, Trace, content_of
from prmdata.sampler.rollouts import Rollouts, question_only
from prmdata.settings import settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Contrast:
    """Take it as one weak signal among others, from a model that follows instructions: two readings
    a trace, no answers.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores")

    right: str = "\n\nSolve this correctly: every step must be right."
    """Added to the question where a right solution is asked for."""
    wrong: str = "\n\nSolve this with a mistake: one step must be wrong."
    """Added where a wrong one is."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        plus, minus = await together(
            *(
                rollouts.score_steps(trace, messages=asked_for(trace, words))
                for words in (self.right, self.wrong)
            )
        )
        if plus.starts != minus.starts:
            raise SamplerError(
                f"trace {trace.id} begins within a token of its prompt, so its tokens depend on "
                "what was asked; contrast cannot compare them"
            )
        leaning = [
            math.tanh((a - b) / 2) / 2 for a, b in zip(plus.logprobs, minus.logprobs, strict=True)
        ]  # σ(x) − ½
        return trace.with_evidence(
            Evidence(
                name="contrast",
                kind="scores",
                rewards=tuple(
                    fmean(leaning[i] for i in tokens) if tokens else None
                    for tokens in tokens_of(trace, plus)
                ),
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return read_once(trace) + read_once(trace)


def asked_for(trace: Trace, words: str) -> tuple[Message, ...]:
    """The trace's own messages with words added to the last of the user's."""
    messages = [dict(m) for m in (trace.origin.messages or question_only(trace.problem))]
    last = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=-1)
    if last < 0:
        return (*messages, {"role": "user", "content": words.strip()})
    messages[last]["content"] = content_of(messages[last]) + words
    return tuple(messages)
