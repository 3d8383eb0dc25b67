"""How far the step where a policy is lost and the step that people call wrong differ: from traces
that were judged by hand.

The figures of `reading` cannot be learned from rollouts. Here they are moved to where the judged
first errors are most likely, against what they are by default; a few dozen traces say a good deal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prmdata.labellers.belief.model import Belief
from prmdata.labellers.belief.observations import Observations
from prmdata.labellers.belief.policy import Policy, PolicyPrior
from prmdata.labellers.belief.reading import Reading

TURNS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
SLOWS = (0.003, 0.01, 0.03, 0.06, 0.1, 0.15)
SPREAD = 1.2
"""How far either figure may well be from its default, in log-odds."""
GOLD_WORTH = 50.0
"""Judged traces that the default share of wrong reference answers is worth."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A trace that ends wrong, and where people found the first error: none, where `None`."""

    seen: Observations
    first_error: int | None


def heeding(policy: Policy, judged: Sequence[Judged]) -> Policy:
    """The policy with what the judged traces say of its reading."""
    if not judged:
        return policy
    none = sum(trace.first_error is None for trace in judged)
    gold = (PolicyPrior().gold_wrong * GOLD_WORTH + none) / (GOLD_WORTH + len(judged))
    erring = [(_unsaid(t.seen), t.first_error) for t in judged if t.first_error is not None]
    lost = [Belief(policy.priors, seen, policy.weights).lost() for seen, _ in erring]

    def read(turn: float, slow: float) -> tuple[PolicyPrior, ...]:
        return tuple(replace(p, turn=turn, slow=slow, gold_wrong=gold) for p in policy.priors)

    def score(turn: float, slow: float) -> float:
        total = -_strain(turn, slow)
        for (seen, first_error), at in zip(erring, lost, strict=True):
            first_f = Reading(read(turn, slow), seen).read(at).first_f
            total += math.log(max(float(first_f[first_error]), 1e-9))
        return total

    turn, slow = PolicyPrior().turn, PolicyPrior().slow
    for _ in range(2):
        turn = max(TURNS, key=lambda at: score(at, slow))
        slow = max(SLOWS, key=lambda at: score(turn, at))
    return replace(policy, priors=read(turn, slow))


def _unsaid(seen: Observations) -> Observations:
    """Without verdicts: what is looked for is what rollouts alone miss."""
    unsaid = seen.copy()
    unsaid.sources = ()
    return unsaid


def _strain(turn: float, slow: float) -> float:
    default = PolicyPrior()
    pairs = ((turn, default.turn), (slow, default.slow))
    return sum(0.5 * ((_odds(at) - _odds(usual)) / SPREAD) ** 2 for at, usual in pairs)


def _odds(share: float) -> float:
    return math.log(share / (1 - share))
