"""How likely a reference solution becomes as a trace goes on (P2S, arXiv 2601.20649).

s_t is the mean log-probability of what is left of the reference after t steps of the trace, and
the reward of a step is what it adds. Where the reference goes on is a choice: `best`, at the step
boundary whose rest is likeliest, never before the last one chosen; `share`, at the same share of
its length. After the last step nothing is left to become likely, so its reward is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from prmdata.errors import ItemError
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.answers import gains
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together
from prmdata.traces.generate import cut_steps

Scores = dict[int, float]
"""The boundary of the reference → how likely the rest from there on is."""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Take it where problems come with a worked solution (`context.solution`). It rewards going the
    way the reference goes, and a right step on another way little.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores")

    align: Literal["best", "share"] = "best"
    boundaries: Count = 12
    """Most places where the reference may go on; a longer one is looked at in so many parts."""
    style: bool = False
    """Subtract the score of the reference of `context.other_solution`, another problem's: what is
    left is content and not style. Twice the readings."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        parts = self._parts(reference_of(trace), trace)
        scores = await self._aligned(trace, parts, rollouts)
        if self.style:
            other = self._parts(reference_of(trace, "other_solution"), trace)
            against = await self._aligned(trace, other, rollouts)
            scores = [a - b for a, b in zip(scores, against, strict=True)]
        return trace.with_evidence(
            Evidence(
                name="faithfulness",
                kind="scores",
                rewards=(*gains(scores, "difference"), None)[: len(trace.steps)],
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def _parts(self, reference: str, trace: Trace) -> list[str]:
        """The reference in steps, no more than the boundaries allow."""
        steps = [step.text for step in cut_steps(reference, trace.origin.steps)]
        size = -(-len(steps) // self.boundaries)
        return ["".join(steps[i : i + size]) for i in range(0, len(steps), size)]

    async def _aligned(self, trace: Trace, parts: Sequence[str], rollouts: Rollouts) -> list[float]:
        """s_t before the first step, after it, and so on to the step before the last."""
        places = range(len(trace.steps))
        if self.align == "share":
            starts = [min(t * len(parts) // len(places), len(parts) - 1) for t in places]
            found = await together(
                *(
                    self._rest(trace, t, parts, [j], rollouts)
                    for t, j in zip(places, starts, strict=True)
                )
            )
            return [next(iter(scores.values())) for scores in found]
        every = range(len(parts))
        found = await together(*(self._rest(trace, t, parts, every, rollouts) for t in places))
        aligned, at = [], 0
        for scores in found:
            at = max((j for j in scores if j >= at), key=lambda j: scores[j])
            aligned.append(scores[at])
        return aligned

    async def _rest(
        self, trace: Trace, after_step: int, parts: Sequence[str], starts: Sequence[int],
        rollouts: Rollouts,
    ) -> Scores:  # fmt: skip
        read = await together(
            *(rollouts.score(trace, after_step, "".join(parts[j:])) for j in starts)
        )
        return {
            j: scored.total / max(len(scored.logprobs), 1)
            for j, scored in zip(starts, read, strict=True)
        }

    def forecast(self, trace: Trace) -> Cost:
        reference = str(trace.problem.context.get("solution") or "")
        length = (len(trace.problem.question) + len(trace.text) + len(reference)) // 4
        places = len(trace.steps)
        each_place = 1 if self.align == "share" else min(self.boundaries, places)
        return Cost(scored=length * places * each_place * (1 + self.style), rounds=1)


def reference_of(trace: Trace, name: str = "solution") -> str:
    reference = trace.problem.context.get(name)
    if not isinstance(reference, str) or not reference.strip():
        raise ItemError(
            f"trace {trace.id}: its problem has no reference solution (context.{name}); "
            "faithfulness needs one"
        )
    return reference
