"""Walk forward and stop at the first step after which no rollout hits (SCAN).

A trace that ends right is taken at its word and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    decided,
    each,
    probe,
    probed,
    taken_at_its_word,
    tokens_left,
)
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of


@dataclass(frozen=True, slots=True)
class Forward:
    """Take it where errors come early: its cost grows with the place of the first one."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    rollouts_per_step: Count = 8
    first_hit: bool = False
    """Go on to the next step at the first hit: the same decisions for fewer tokens."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.search(trace, rollouts))

    async def search(self, trace: Trace, rollouts: Rollouts) -> Trace:
        if trace.correct is None or not trace.steps:
            return trace
        if trace.correct:
            return taken_at_its_word(trace, self, "forward")
        probes: dict[int, Probe] = {}
        step = 1
        while step < len(trace.steps):
            probes[step] = await probe(
                rollouts,
                trace,
                step,
                self.rollouts_per_step,
                first_hit=self.first_hit,
                decides=True,
            )
            if probes[step].hits == 0:
                break
            step += 1
        evidence = Evidence(
            name="forward",
            kind="rollouts",
            **probed(trace, probes),
            stopping="first-hit" if self.first_hit else "fixed",
            settings=settings_of(self),
            cost=rollouts.cost(trace, sum(found.rounds for found in probes.values())),
        )
        return decided(trace, self, "forward", step - 1, evidence)

    def forecast(self, trace: Trace) -> Cost:
        if trace.correct is not False:
            return Cost()
        inner = range(1, len(trace.steps))
        k = self.rollouts_per_step
        return Cost(sum(k * tokens_left(trace, t) for t in inner), k * len(inner), len(inner))
