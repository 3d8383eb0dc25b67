"""The same search, one rollout at a time and told the true hit rates of the trace: the way to go.

It knows how often rollouts hit before and after the true error. Under any other place of the
error it takes the mean rate of the side on which a prefix then lies. All other evidence is the
same as that of `posterior`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from prmdata.labellers.belief.chances import Array
from prmdata.labellers.belief.model import Belief, Joint, Known
from prmdata.labellers.belief.prior import RECOVERY, World
from prmdata.labellers.contract import each, taken_at_its_word
from prmdata.labellers.posterior import Posterior, already_paid, known_of
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
            belief = self.told(replace(world, steadiness=CERTAIN), trace, known_of(trace, free))
            belief.see_all(free)
            how = Posterior(most_rollouts=self.most_rollouts, rollouts_per_round=1)
            return await how._search(trace, belief, rollouts, price)

        return await each(group, one)

    def told(self, world: World, trace: Trace, known: Known) -> Belief:
        T = known.steps
        first = self.truths.get(trace.id)
        error = T if first is None else first + 1
        values = self.values[trace.id]
        rates = np.clip([values[0], *values[: T - 1]], 0.004, 0.996)  # after 0 … T − 1 steps
        t = np.arange(T)
        before, after = t < error, t >= error
        right = np.where(before, rates, rates[before].mean())
        wrong = np.where(after, rates, rates[after].mean() if after.any() else 0.02)
        return Told(world, known, right, wrong)


class Told(Belief):
    """A belief that need not guess the rates of hits."""

    def __init__(self, world: World, known: Known, right_t: Array, wrong_t: Array) -> None:
        self._wrong_t = wrong_t
        super().__init__(world, known)
        self._value_tz[:] = right_t[:, None]

    def _recovery_fe(self, step: int) -> Array:
        left = self._wrong_t[min(step, self.steps - 1)]
        return np.full((len(self.places), len(RECOVERY)), left)

    def _recovered(self, joint: Joint) -> Array:
        return np.repeat(self._wrong_t[:, None], len(self.places), axis=1)
