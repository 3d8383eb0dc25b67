"""Monte-Carlo value of every step: k rollouts after each (Math-Shepherd, arXiv 2312.08935).

The soft value is hits/k; the hard reading is "any hit". The last step ends the trace, so it is
graded, not rolled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import Need, Probe, Verb, each, probe, probed, tokens_left
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Take it for a soft value of every step. It costs most; for first errors alone take
    `bisect` or `posterior`, for hard readings `adaptive`.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    rollouts_per_step: Count = 8
    first_hit: bool = False
    """Stop a step's rollouts at the first hit: enough for hard labels, biased for soft ones."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        inner = range(1, len(trace.steps))
        probes = await together(
            *(
                probe(rollouts, trace, t, self.rollouts_per_step, first_hit=self.first_hit)
                for t in inner
            )
        )
        rounds = max((found.rounds for found in probes), default=0)
        by_step = dict(zip(inner, probes, strict=True))
        if trace.correct is not None:
            by_step[len(trace.steps)] = Probe(int(trace.correct), 1)
        return trace.with_evidence(
            Evidence(
                name="mc",
                kind="rollouts",
                **probed(trace, by_step),
                stopping="first-hit" if self.first_hit else "fixed",
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        inner = range(1, len(trace.steps))
        k = self.rollouts_per_step
        tokens = sum(k * tokens_left(trace, t) for t in inner)
        return Cost(tokens, k * len(inner), 1 if inner else 0)
