"""What is believed of a policy before a trace is looked at: the prior behind `posterior`.

Every figure has a default that is vague on purpose; `fitting` replaces them by what a pilot of the
policy's own rollouts shows. `Tables` turns the figures into the arrays of `chain`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from prmdata.errors import UsageError
from prmdata.labellers.belief.numbers import Array, Counts, bell, generator_power
from prmdata.labellers.belief.signals import Curve

RATES = np.array([0.004, 0.02, 0.06, 0.14, 0.27, 0.45, 0.65, 0.83, 0.95])
"""Hit rates that a prefix may have: the levels of the chain."""
LOGITS = np.log(RATES / (1 - RATES))
TAIL = 0.15
TAIL_BELL = (-2.0, 1.3)
"""Of first errors, the share that policies recover from more often than from the others."""
SAMES = np.array([0.06, 0.3, 0.75])
"""Shares of misses that may end in the trace's own wrong answer."""

Reliability = tuple[
    tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]
]
"""P(right, wrong, unknown) of a verdict on a right step, on the first wrong one, and on later
ones."""

TOOL: Reliability = ((0.40, 0.01, 0.59), (0.25, 0.30, 0.45), (0.38, 0.03, 0.59))
"""A verifier that computes: it is seldom wrong when it says `wrong`."""
READER: Reliability = ((0.75, 0.15, 0.10), (0.45, 0.45, 0.10), (0.50, 0.40, 0.10))
"""Anybody who reads: a judge, or verdicts of unknown origin."""


@dataclass(frozen=True, slots=True)
class PolicyPrior:
    """Figures of a policy on one kind of problem. The defaults describe no policy in particular."""

    start: float = 0.0
    """Mean log-odds of a hit from the question alone."""
    start_spread: float = 2.5
    entry: float = -3.6
    """Mean log-odds of a hit right after the first wrong step."""
    entry_spread: float = 1.7
    rise: float = 2.0
    """Levels that the hit rate of right prefixes climbs over a whole trace, one at a time."""
    fall: float = 0.7
    """Levels that it falls, one at a time."""
    drop: float = 0.05
    """Right steps in a whole trace after which the policy seldom succeeds: hard turns, detours."""
    fade: float = 0.8
    """Levels that the hit rate falls after the error, over a whole trace."""
    lift: float = 0.3
    """Levels that it rises there."""
    second: float = 0.4
    """Share of first errors after which the answer is still open: a later error settles it."""
    mend: float = 0.1
    """Errors in a whole trace that the trace itself puts right later."""
    same_before: tuple[float, ...] = (0.5, 0.35, 0.15)
    """Of the misses before the error, the share that ends in the trace's answer: weights of
    SAMES."""
    same_after: tuple[float, ...] = (0.25, 0.4, 0.35)
    """... and after it."""
    repeat: float = 0.3
    """How often a rollout writes the trace's next right step again, word for word."""
    repeat_wrong: float = 0.7
    """The first wrong step is written again at this share of that rate."""
    repeat_worth: float = 1.0
    """Rollouts that these two figures are worth at one step."""
    own: float = 0.6
    """How far the hit rate of a right prefix tells how soon the trace, which the policy wrote, goes
    wrong (0: not at all; 1: slips explain every miss)."""
    place_slope: float = 0.0
    """Log-odds of the last place of a trace against its first, to hold the first error."""
    place_curve: float = 0.0
    """Log-odds of its ends against its middle."""
    turn: float = 0.25
    """Share of first errors that come later than the step at which the policy is lost, were its
    chance nil before: it had turned onto a wrong plan, and every step still read right."""
    slow: float = 0.03
    """Share that come before it: slips that the policy is not thrown off by at once."""
    gold_wrong: float = 0.02
    """Share of traces that end wrong although no step is wrong: a wrong reference answer, a
    misread one."""
    hidden: float = 0.15
    """Share of traces with an error, before it is known that the trace ends right."""
    reliability: tuple[tuple[str, Reliability], ...] = ()
    """Of each source of verdicts, by its name."""

    def reliability_of(self, source: str, *, tool: bool) -> Reliability:
        return dict(self.reliability).get(source, TOOL if tool else READER)


@dataclass(frozen=True, slots=True)
class Policy:
    """What `prmdata fit` writes and `label --set policy=FILE` reads."""

    priors: tuple[PolicyPrior, ...] = (PolicyPrior(),)
    """Alternatives that are held possible."""
    weights: tuple[float, ...] = (1.0,)
    bits_per_1000_tokens: float | None = None
    """The price that meets the token budget that was asked for, where one was."""
    curves: tuple[Curve, ...] = ()
    """What the numbers of other evidence are worth, such as those of `certainty`."""

    def __post_init__(self) -> None:
        if not self.priors or len(self.priors) != len(self.weights) or min(self.weights) <= 0:
            raise ValueError("needs one weight above 0 for every prior")


def read_policy(path: str | None) -> Policy:
    if path is None:
        return Policy()
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Policy)
    except OSError as error:
        raise UsageError(f"--set policy={path}: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"--set policy={path}: not a file of `prmdata fit` ({error})") from None


@dataclass(frozen=True, slots=True)
class Tables:
    """The arrays of one or several priors (h) for traces of T steps, between the nodes of a
    chain."""

    start_hl: Array
    entry_hll: Array
    """Level of the right prefix → level after the error: an error seldom helps."""
    right_jhll: Sequence[Array]
    """Moves among the levels of right prefixes, by segment; the next is that of wrong ones."""
    wrong_jhll: Sequence[Array]
    mend_jh: Array
    """P(an error is put right), by segment."""
    second_h: Array
    class_hc: Array
    """Weights of the pairs of shares (before, after the error) of misses with the trace's
    answer."""

    @classmethod
    def of(cls, priors: Sequence[PolicyPrior], steps: int, gaps: Sequence[int]) -> Tables:
        walks = {gap: [_walks(prior, gap / steps) for prior in priors] for gap in set(gaps)}
        by_gap = {
            g: tuple(np.stack(side) for side in zip(*w, strict=True)) for g, w in walks.items()
        }
        return cls(
            np.stack([bell(LOGITS, prior.start, prior.start_spread) for prior in priors]),
            np.stack([_entry(prior.entry, prior.entry_spread) for prior in priors]),
            [by_gap[gap][0] for gap in gaps],
            [by_gap[gap][1] for gap in gaps],
            np.array([[1 - np.exp(-prior.mend * gap / steps) for prior in priors] for gap in gaps]),
            np.array([prior.second for prior in priors]),
            np.stack([_classes(prior.same_before, prior.same_after) for prior in priors]),
        )


@functools.lru_cache(4096)
def _entry(mean: float, spread: float) -> Array:
    higher = LOGITS[None, :] > LOGITS[:, None]
    mixed = (1 - TAIL) * bell(LOGITS, mean, spread) + TAIL * bell(LOGITS, *TAIL_BELL)
    weights = np.where(higher, 0.1, 1.0) * mixed
    shares: Array = weights / weights.sum(1, keepdims=True)
    return shares


def _classes(before: tuple[float, ...], after: tuple[float, ...]) -> Array:
    weights = np.outer(before, after).ravel()
    shares: Array = weights / weights.sum()
    return shares


def _walks(prior: PolicyPrior, time: float) -> tuple[Array, Array]:
    return (
        _walk(prior.rise, prior.fall, prior.drop, round(time, 9)),
        _walk(prior.lift, prior.fade, 0.0, round(time, 9)),
    )


@functools.lru_cache(4096)
def _walk(up: float, down: float, drop: float, time: float) -> Array:
    return generator_power(_moves(up, down, drop), time)


def _moves(up: float, down: float, drop: float) -> Array:
    """The generator of a walk over the levels: one up, one down, or down to any lower one."""
    count = len(RATES)
    rates = np.zeros((count, count))
    for level in range(count):
        if level + 1 < count:
            rates[level, level + 1] += up
        if level:
            rates[level, level - 1] += down
            rates[level, :level] += drop / level
    rates[np.diag_indices(count)] = -rates.sum(1)
    return rates


def places(prior: PolicyPrior, steps: int) -> Array:
    """P(f) for f = 1 … T, before anything is seen of the trace."""
    x = (np.arange(steps) + 0.5) / steps
    log = prior.place_slope * x + prior.place_curve * (2 * x - 1) ** 2
    weights = np.exp(log - log.max())
    shares: Array = weights / weights.sum()
    return shares


def hazards(
    prior: PolicyPrior,
    place_f: Array,
    starts: Sequence[int] | Counts,
    own: bool,
    hidden: float = 1.0,
) -> tuple[Array, Array]:
    """P(first error in a segment | none before): by level of the prefix, and whatever the level.

    A prefix with hit rate V and n steps to go slips at 1 - V ** (1 / n) a step, if slips are all
    that ends its rollouts wrong.
    """
    steps = len(place_f)
    ahead = np.maximum(1 - hidden * np.concatenate([[0.0], place_f.cumsum()[:-1]]), 1e-12)
    stays = np.maximum(1 - np.minimum(hidden * place_f / ahead, 1.0), 1e-12)
    log_stay = np.add.reduceat(np.log(stays), starts)
    share = np.add.reduceat(1 / (steps - np.arange(steps)), starts)
    weight = prior.own if own else 0.0
    by_level = (1 - weight) * log_stay[:, None] + weight * share[:, None] * np.log(RATES)
    return 1 - np.exp(by_level), 1 - np.exp(log_stay)
