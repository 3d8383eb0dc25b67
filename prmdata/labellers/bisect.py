"""Binary search for the first error (OmegaPRM, arXiv 2406.06592).

Roll out from the middle of what is open: a hit says that the error comes later, no hit that it came
before. A trace that ends right is taken at its word.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    decided,
    detections,
    each,
    probe,
    probed,
    taken_at_its_word,
    tokens_left,
)
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, Share, settings_of


@dataclass(frozen=True, slots=True)
class Bisect:
    """Take it for first errors from few rollouts. A lucky rollout sends the search past the error:
    raise `rollouts_per_probe` where that matters.
    """

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    rollouts_per_probe: Count = 8
    first_hit: bool = False
    """End a probe at its first hit (waves of 1, 1, 2, 4): the same decisions for fewer tokens."""
    pass_rate_share: Share = 0.0
    """Call a prefix right when its share of hits is above this share of the problem's pass rate,
    instead of at any hit."""
    verdicts: bool = False
    """Believe verifiers: search before the first step that one calls wrong."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.search(trace, rollouts))

    async def search(self, trace: Trace, rollouts: Rollouts) -> Trace:
        if trace.correct is None or not trace.steps:
            return trace
        if trace.correct:
            return taken_at_its_word(trace, self, "bisect")
        probes: dict[int, Probe] = {}
        refuted = detections(trace) if self.verdicts else []
        right, wrong = 0, min([len(trace.steps), *refuted])
        while wrong - right > 1:
            middle = (right + wrong) // 2
            probes[middle] = await probe(
                rollouts,
                trace,
                middle,
                self.rollouts_per_probe,
                first_hit=self._first_hit,
                decides=True,
            )
            if self._still_right(trace, probes[middle], rollouts):
                right = middle
            else:
                wrong = middle
        evidence = Evidence(
            name="bisect",
            kind="rollouts",
            **probed(trace, probes),
            stopping="first-hit" if self._first_hit else "fixed",
            settings=settings_of(self),
            cost=rollouts.cost(trace, sum(found.rounds for found in probes.values())),
        )
        return decided(trace, self, "bisect", wrong - 1, evidence)

    def forecast(self, trace: Trace) -> Cost:
        if trace.correct is not False or len(trace.steps) < 2:
            return Cost()
        probes = math.ceil(math.log2(len(trace.steps)))
        rollouts = probes * self.rollouts_per_probe
        return Cost(rollouts * tokens_left(trace, len(trace.steps) // 2), rollouts, probes)

    @property
    def _first_hit(self) -> bool:
        return self.first_hit and self.pass_rate_share == 0

    def _still_right(self, trace: Trace, found: Probe, rollouts: Rollouts) -> bool:
        if self.pass_rate_share == 0 or trace.group is None:
            return found.hits > 0
        tally = trace.group
        counted = tally.n if rollouts.settings.cut == "miss" else tally.right + tally.wrong
        smoothed = (tally.right + 0.5) / (counted + 1)
        return found.hits > self.pass_rate_share * smoothed * found.rollouts
