"""Rewards from two models: how much more likely a step is to one than to the other.

r_t = β · Σ over the tokens of step t of (log π − log π_ref): what a model trained on outcomes has
learned to prefer, step by step (implicit process rewards, arXiv 2412.01981; From r to Q*,
2404.12358; PRL has the same ratio with 1/η for β). π is the sampler, π_ref `--reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import SamplerError
from prmdata.labellers.certainty import read_once
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.reading import tokens_of
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Positive, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Implicit:
    """Take it where one model was trained on outcomes from another (DPO, RL, an instruct model over
    its base): two readings a trace, no answers. Both must share a tokenizer.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores", "reference")

    beta: Positive = 0.05

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        reference = rollouts.reference
        if reference is None:
            raise SamplerError("implicit compares two models; name the second with --reference")
        own, other = await together(
            rollouts.score_steps(trace), rollouts.score_steps(trace, by=reference)
        )
        if own.starts != other.starts:
            raise SamplerError(
                f"{rollouts.sampler.spec} and {reference.spec} read trace {trace.id} as different "
                "tokens; implicit compares models that share a tokenizer"
            )
        ratio = [a - b for a, b in zip(own.logprobs, other.logprobs, strict=True)]
        return trace.with_evidence(
            Evidence(
                name="implicit",
                kind="scores",
                rewards=tuple(
                    self.beta * sum(ratio[i] for i in tokens) for tokens in tokens_of(trace, own)
                ),
                settings={**settings_of(self), "reference": reference.fingerprint},
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return read_once(trace) + read_once(trace)
