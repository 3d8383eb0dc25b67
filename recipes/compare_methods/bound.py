"""The same search, told the true hit rates of the trace: how far there is to go.

It knows how often rollouts hit before and after the true error. Under any other place of the
error it takes the mean rate of the side on which a prefix then lies. All other evidence is the
same as that of `posterior`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from prmdata.labellers.belief import Belief
from prmdata.labellers.contract import each, taken_at_its_word
from prmdata.labellers.posterior import Posterior, already_paid, known_of
from prmdata.labellers.world import World
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts

CERTAIN = 1e6


@dataclass(frozen=True)
class Bound(Posterior):
    truths: Mapping[str, int | None] = field(default_factory=dict)
    """The first wrong step of each trace, from 0."""
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """The true rate of hits after each of its steps."""

    async def label(self, group: Sequence[Trace], rollouts: Rollouts, world: World) -> list[Trace]:
        price = self._price(world, group)

        async def one(trace: Trace) -> Trace:
            if trace.correct is None or not trace.steps:
                return trace
            if trace.correct or trace.id not in self.values:
                return taken_at_its_word(trace, Posterior(), "posterior")
            free = already_paid(trace, group)
            belief = Belief(replace(world, steadiness=CERTAIN), known_of(trace, free))
            self.tell(belief, trace)
            belief.see_all(free)
            how = Posterior(most_rollouts=self.most_rollouts)
            return await how._search(trace, belief, rollouts, price)

        return await each(group, one)

    def tell(self, belief: Belief, trace: Trace) -> None:
        T = belief.steps
        first = self.truths.get(trace.id)
        error = T if first is None else first + 1
        values = self.values[trace.id]
        rates = np.clip([values[0], *values[: T - 1]], 0.004, 0.996)  # after 0 … T − 1 steps
        t = np.arange(T)
        before, after = t < error, t >= error
        right = np.where(before, rates, rates[before].mean())
        wrong = np.where(after, rates, rates[after].mean() if after.any() else 0.02)
        belief._value_tz[:] = right[:, None]
        belief._recovery_tfe[:] = wrong[:, None, None]
