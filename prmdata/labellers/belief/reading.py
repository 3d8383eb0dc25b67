"""From the step where a policy is lost to the step that a reader calls wrong.

Rollouts show the former, labels name the latter, and on text of real models they often differ: a
policy sets out on a plan that cannot work while its steps still say true things, or it is not
thrown off by a slip at once. So the first wrong step f stands at the step g where the chance is
lost, some steps behind it with a share `turn` (the more, the less the policy's chance was before
g), or before it with a share `slow`. Verdicts come from somebody who read the steps: they speak of
f, and weigh it after the rollouts have spoken of g. In a trace that ends right errors were put
right again, and its verdicts are heard by the chain, step by step: there f is g.

Letters: b priors, g and f steps, m the moves (stays, later, earlier), o = f - g, l levels.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prmdata.labellers.belief.numbers import Array, Counts
from prmdata.labellers.belief.observations import Observations, Source
from prmdata.labellers.belief.policy import RATES, PolicyPrior

LATEST, EARLIEST = 8, 4
"""Steps that f may lie behind g, and before it."""
LAG = 0.5
"""One step more is less likely by this factor."""
OFFSETS = np.arange(-EARLIEST, LATEST + 1)
TINY = 1e-12
VERDICTS = {"right": 0, "wrong": 1, "unknown": 2}


@dataclass(frozen=True, slots=True)
class Read:
    """Where the first wrong step is, given where the policy is lost and what verdicts say."""

    first_f: Array
    """Weights, beside those of g."""
    lost_g: Array
    """Of g, weighed by what the verdicts say of f."""
    lost_before: Array
    """... and not weighed."""

    def past_t(self) -> Array:
        """How verdicts weigh that g is among the first t steps."""
        return _among(self.lost_g) / np.maximum(_among(self.lost_before), TINY)

    def ahead_t(self) -> Array:
        """... and that it is not."""
        weighed, before = (_among(x[::-1])[::-1] for x in (self.lost_g, self.lost_before))
        ahead: Array = weighed / np.maximum(before, TINY)
        return ahead


class Reading:
    """The verdicts on one trace, and g as it is read back as f."""

    error_bfl: Array
    """What the chain hears of them: log-ratio to a right step, were this the error."""
    after_bf: Array
    """... were it one after the error."""

    def __init__(self, priors: Sequence[PolicyPrior], seen: Observations) -> None:
        first, after = np.stack([verdict_ratios(p, seen.sources, seen.steps) for p in priors], 1)
        self._mended = seen.ends_right
        if self._mended:
            self.error_bfl, self.after_bf = first[..., None], after
            return
        self.error_bfl, self.after_bf = np.zeros_like(first)[..., None], np.zeros_like(after)
        self._shares_bml = np.stack([move_shares(prior) for prior in priors])
        later = after.sum(1, keepdims=True) - after.cumsum(1)
        self._said_bf = np.exp(first + later)

    def read(self, lost_bgl: Array) -> Read:
        """`lost_bgl` weighs where the policy is lost, under which prior, and from which level."""
        T, lost_g = lost_bgl.shape[1], lost_bgl.sum((0, 2))
        if self._mended:
            return Read(lost_g, lost_g, lost_g)
        moved_bgm = np.einsum("bgl,bml->bgm", lost_bgl, self._shares_bml)
        f_go = places_around(T)
        said_bgo = self._said_bf[:, f_go]
        mass_go = np.einsum("bgm,gmo,bgo->go", moved_bgm, moves(T), said_bgo)
        first_f = np.bincount(f_go.ravel(), mass_go.ravel(), T).astype(float)
        return Read(first_f, mass_go.sum(1), lost_g)


def _among(weights: Array) -> Array:
    """The weight of the first t steps, for every t."""
    return np.concatenate([[0.0], weights.cumsum()])


def move_shares(prior: PolicyPrior) -> Array:
    """Of f standing at g, behind it, before it: by the level of the prefix before g."""
    later = prior.turn * (1 - RATES)
    earlier = np.full(len(RATES), prior.slow)
    return np.stack([1 - later - earlier, later, earlier])


@functools.lru_cache(256)
def places_around(steps: int) -> Counts:
    """f = g + o, kept inside the trace."""
    places: Counts = np.clip(np.arange(steps)[:, None] + OFFSETS, 0, steps - 1)
    return places


@functools.lru_cache(256)
def moves(steps: int) -> Array:
    """P(o | g, m). Where a trace leaves no room for a move, f stands at g."""
    moved = np.zeros((steps, 3, len(OFFSETS)))
    f_go = np.arange(steps)[:, None] + OFFSETS
    fits = (f_go >= 0) & (f_go < steps)
    for move, way in enumerate((OFFSETS == 0, OFFSETS > 0, OFFSETS < 0)):
        moved[:, move] = fits * way * LAG ** np.abs(OFFSETS)
    nowhere = moved.sum(2) == 0
    moved[nowhere, EARLIEST] = 1.0
    shares: Array = moved / moved.sum(2, keepdims=True)
    return shares


def verdict_ratios(prior: PolicyPrior, sources: Sequence[Source], steps: int) -> Array:
    """Log-ratios to a right step, of each step's verdicts: for the first error, and after it."""
    ratios = np.zeros((2, steps))
    for source in sources:
        table = np.log(np.asarray(prior.reliability_of(source.name, tool=source.tool)))
        for step, verdict in enumerate(source.verdicts):
            column = VERDICTS.get(verdict or "unknown", 2)
            ratios[0, step] += table[1, column] - table[0, column]
            ratios[1, step] += table[2, column] - table[0, column]
    return ratios
