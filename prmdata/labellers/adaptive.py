"""Values of every step, where uncertain steps get more rollouts than clear ones (AMCS, EpicPRM).

A step is clear when the Wilson interval of its value is narrow. A step without a hit is clear only
after `without_hit` rollouts: one more hit would change how it is read. So the hard reading (any
hit) is that of `mc` with as many rollouts, for fewer tokens; the values are rougher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.intervals import wilson
from prmdata.labellers.contract import Need, Probe, Verb, each, probe, probed, tokens_left
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, Positive, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Take it in place of `mc` where any hit or none is what counts: the same decisions for fewer
    tokens.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    at_first: Count = 4
    """Rollouts after every step; as many again in each further round."""
    at_most: Count = 16
    """The most rollouts after one step."""
    without_hit: Count = 8
    """A step without a hit gets at least this many rollouts."""
    width: Positive = 0.66
    """A step is clear when the interval of its value is at most this wide."""
    deviations: Positive = 1.96
    """Standard deviations to each side of the interval: 1.96 for 95 %."""

    def __post_init__(self) -> None:
        if self.at_first > self.at_most:
            raise UsageError(f"at_first={self.at_first}: must not be above at_most")
        if self.without_hit > self.at_most:
            raise UsageError(f"without_hit={self.without_hit}: must not be above at_most")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        found = {t: Probe() for t in range(1, len(trace.steps))}
        requested = dict.fromkeys(found, 0)
        rounds = 0
        while unclear := [t for t in found if not self._clear(found[t], requested[t])]:
            more = [min(self.at_first, self.at_most - requested[t]) for t in unclear]
            probes = await together(
                *(probe(rollouts, trace, t, k) for t, k in zip(unclear, more, strict=True))
            )
            for t, k, new in zip(unclear, more, probes, strict=True):
                requested[t] += k
                found[t].hits += new.hits
                found[t].rollouts += new.rollouts
            rounds += 1
        if trace.correct is not None:
            found[len(trace.steps)] = Probe(int(trace.correct), 1)
        return trace.with_evidence(
            Evidence(
                name="adaptive",
                kind="rollouts",
                **probed(trace, found),
                stopping="interval",
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        inner = range(1, len(trace.steps))
        k = (self.at_first + self.without_hit) // 2
        return Cost(sum(k * tokens_left(trace, t) for t in inner), k * len(inner), 2)

    def _clear(self, found: Probe, requested: int) -> bool:
        if requested >= self.at_most:
            return True
        if not found.hits and requested < self.without_hit:
            return False
        low, high = wilson(found.hits, found.rollouts, self.deviations)
        return high - low <= self.width
