"""A policy's prior from a pilot: the figures that make the pilot's rollouts most likely.

The first errors stay unknown: every likelihood is summed over them. Figures are moved one at a
time, uphill, against a normal prior around their defaults; those of `same` and of the sources of
verdicts in groups. What a small pilot does not show stays near its default.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prmdata.labellers.belief import chain
from prmdata.labellers.belief.model import HITS, SAME, log_ends_wrong, log_no_error, repetition
from prmdata.labellers.belief.numbers import Array
from prmdata.labellers.belief.observations import Observations
from prmdata.labellers.belief.policy import SAMES, Policy, PolicyPrior, Tables, hazards, places
from prmdata.labellers.belief.reading import verdict_ratios

SWEEPS = 5
LONGEST = 60
"""Steps; longer traces tell little more of the policy, and take long."""


class Pool:
    """Observations of many traces, laid out so that one prior is weighed on all of them at once."""

    def __init__(self, seen: Iterable[Observations]) -> None:
        usable = [s for s in seen if not s.ends_right and 0 < s.steps <= LONGEST]
        ordered = sorted(usable, key=_alike)
        self.groups = [Group(list(g)) for _, g in itertools.groupby(ordered, _alike)]
        self.traces = len(ordered)

    def log_evidence(self, prior: PolicyPrior) -> float:
        return float(sum(group.log_evidence(prior).sum() for group in self.groups))


def _alike(seen: Observations) -> tuple[int, bool]:
    return seen.steps, seen.own


class Group:
    """Traces of one length and kind of author."""

    def __init__(self, seen: Sequence[Observations]) -> None:
        self.seen = seen
        self.steps, self.own = seen[0].steps, seen[0].own
        hits, sames, others, repeats, passed = (
            np.stack([getattr(s, name) for s in seen])
            for name in ("hits", "sames", "others", "repeats", "passed")
        )
        self.repeats, self.missing = repeats, passed - repeats
        hit, same = HITS.log(hits, sames + others), SAME.log(sames, others)
        count = len(SAMES)
        before, after = np.repeat(same, count, 2), np.tile(same, (1, 1, count))
        by_class = np.stack([before, before, after], 2)
        log = hit[:, :, None, None] + by_class[..., None]
        top = log.max((2, 3, 4), keepdims=True)
        self.likelihood_tbscl = np.exp(log - top).swapaxes(0, 1)
        self.log_scale_b = top.sum((1, 2, 3, 4))
        self.log_none_b = np.array([log_no_error(s) for s in seen])

    def log_evidence(self, prior: PolicyPrior) -> Array:
        T = self.steps
        place = places(prior, T)
        hazard, settle = hazards(prior, place, range(T), self.own)
        right, wrong = repetition(prior)
        error = (wrong.log(self.repeats, self.missing) - right.log(self.repeats, self.missing))[
            ..., 0
        ]
        again = right.log(self.repeats, self.missing)[..., 0].sum(1)
        verdicts = np.stack([verdict_ratios(prior, s.sources, T) for s in self.seen])
        usual = np.array([log_right_verdicts(prior, s) for s in self.seen])
        segments = chain.Segments(
            hazard[None],
            settle[None],
            np.exp(error + verdicts[:, 0])[..., None],
            np.exp(verdicts[:, 1]),
        )
        tables = Tables.of([prior], T, [1] * T)
        passes = chain.forward(tables, segments, self.likelihood_tbscl, ends_right=False)
        with np.errstate(divide="ignore"):
            total = np.logaddexp(
                np.log1p(-prior.gold_wrong) + passes.log_b + self.log_scale_b,
                np.log(prior.gold_wrong) + self.log_none_b,
            )
        evidence: Array = total + again + usual - log_ends_wrong(prior, T, self.own)
        return evidence


def log_right_verdicts(prior: PolicyPrior, seen: Observations) -> float:
    """Of each verdict if every step were right: what ratios leave out."""
    total = 0.0
    for source in seen.sources:
        table = prior.reliability_of(source.name, tool=source.tool)[0]
        places_of = {"right": 0, "wrong": 1}
        total += sum(math.log(table[places_of.get(v or "", 2)]) for v in source.verdicts)
    return total


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the prior, on a scale on which it may take any value."""

    name: str
    to: Callable[[float], float]
    back: Callable[[float], float]
    spread: float
    """How far from its default it may well be, on that scale."""

    def read(self, prior: PolicyPrior) -> float:
        return self.to(getattr(prior, self.name))

    def put(self, prior: PolicyPrior, at: float) -> PolicyPrior:
        changed: dict[str, Any] = {self.name: self.back(at)}
        return replace(prior, **changed)


@dataclass(frozen=True, slots=True)
class Weight:
    """One entry of a list of weights, as its logarithm."""

    name: str
    index: int
    spread: float = 1.0

    def read(self, prior: PolicyPrior) -> float:
        weights = getattr(prior, self.name)
        return math.log(weights[self.index] / weights[0])

    def put(self, prior: PolicyPrior, at: float) -> PolicyPrior:
        weights = list(getattr(prior, self.name))
        weights[self.index] = weights[0] * math.exp(min(max(at, -6.0), 6.0))
        changed: dict[str, Any] = {self.name: tuple(w / sum(weights) for w in weights)}
        return replace(prior, **changed)


@dataclass(frozen=True, slots=True)
class Silence:
    """How often a source says nothing of a step: of every kind of step alike."""

    source: str
    tool: bool
    spread: float = 2.0

    def read(self, prior: PolicyPrior) -> float:
        return odds(prior.reliability_of(self.source, tool=self.tool)[0][2])

    def put(self, prior: PolicyPrior, at: float) -> PolicyPrior:
        table = prior.reliability_of(self.source, tool=self.tool)
        moved = at - odds(table[0][2])
        return _reliable(prior, self.source, [_silent(r, odds(r[2]) + moved) for r in table])


@dataclass(frozen=True, slots=True)
class WrongShare:
    """How often a source that speaks of one kind of step calls it wrong."""

    source: str
    tool: bool
    row: int

    @property
    def spread(self) -> float:
        """Rollouts show least of what is said of first errors: a pilot without truth would take the
        errors that the source sees for all errors."""
        return 0.4 if self.row == 1 else 0.8

    def read(self, prior: PolicyPrior) -> float:
        right, wrong, _ = prior.reliability_of(self.source, tool=self.tool)[self.row]
        return math.log(wrong / right)

    def put(self, prior: PolicyPrior, at: float) -> PolicyPrior:
        table = list(prior.reliability_of(self.source, tool=self.tool))
        silent, wrong = table[self.row][2], share(at)
        table[self.row] = ((1 - silent) * (1 - wrong), (1 - silent) * wrong, silent)
        return _reliable(prior, self.source, table)


def _silent(row: Sequence[float], at: float) -> tuple[float, float, float]:
    silent = share(at)
    spoken = (1 - silent) / (row[0] + row[1])
    return row[0] * spoken, row[1] * spoken, silent


def _reliable(
    prior: PolicyPrior, source: str, table: Sequence[tuple[float, float, float]]
) -> PolicyPrior:
    known: dict[str, Any] = {**dict(prior.reliability), source: tuple(table)}
    return replace(prior, reliability=tuple(sorted(known.items())))


def same(x: float) -> float:
    return x


def positive(x: float) -> float:
    return math.exp(min(max(x, -6.0), 4.0))


def share(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -7.0), 7.0)))


def odds(x: float) -> float:
    return math.log(x / (1 - x))


FIGURES: tuple[Figure | Weight, ...] = (
    Figure("start", same, same, 2.0),
    Figure("start_spread", math.log, positive, 0.5),
    Figure("entry", same, same, 1.2),
    Figure("entry_spread", math.log, positive, 0.5),
    Figure("rise", math.log, positive, 0.4),
    Figure("fall", math.log, positive, 0.3),
    Figure("drop", math.log, positive, 0.4),
    Figure("fade", math.log, positive, 0.4),
    Figure("lift", math.log, positive, 0.4),
    Figure("second", odds, share, 0.3),
    Figure("mend", math.log, positive, 0.4),
    Weight("same_before", 1),
    Weight("same_before", 2),
    Weight("same_after", 1),
    Weight("same_after", 2),
    Figure("repeat", odds, share, 1.5),
    Figure("repeat_wrong", odds, share, 1.0),
    Figure("repeat_worth", math.log, positive, 0.8),
    Figure("own", odds, share, 0.3),
    Figure("place_slope", same, same, 0.3),
    Figure("place_curve", same, same, 0.3),
)


def fit(pool: Pool, report: Callable[[str], None] = lambda line: None) -> PolicyPrior:
    """The prior that the pool speaks for."""
    prior = default = PolicyPrior()
    sources = {(s.name, s.tool) for g in pool.groups for seen in g.seen for s in seen.sources}
    figures: list[Figure | Weight | Silence | WrongShare] = [
        *FIGURES,
        *(Silence(*s) for s in sorted(sources)),
        *(WrongShare(*s, row) for s in sorted(sources) for row in range(3)),
    ]
    middle = [figure.read(default) for figure in figures]
    steps = [0.5 * figure.spread for figure in figures]

    def strain(candidate: PolicyPrior) -> float:
        at = (figure.read(candidate) for figure in figures)
        return sum(
            0.5 * ((a - m) / f.spread) ** 2 for a, m, f in zip(at, middle, figures, strict=True)
        )

    best = pool.log_evidence(prior) - strain(prior)
    for sweep in range(SWEEPS):
        before = best
        for index, figure in enumerate(figures):
            at = figure.read(prior)
            for move in (steps[index], -steps[index]):
                candidate = figure.put(prior, at + move)
                score = pool.log_evidence(candidate) - strain(candidate)
                if score > best:
                    prior, best = candidate, score
                    steps[index] *= 1.3
                    break
            else:
                steps[index] *= 0.5
        report(f"sweep {sweep + 1} of {SWEEPS}, {best / max(pool.traces, 1):.3f} nats a trace")
        if best - before < 0.1:
            break
    return prior


def learn(
    problems: Sequence[Sequence[Observations]], report: Callable[[str], None] = lambda line: None
) -> Policy:
    """What a pilot of problems says of the policy; the default where it does not hold up.

    Each half of the problems is fitted and weighed on the other half. Where that makes the other
    half no more likely than the default does, nothing was learned. Otherwise the default stays as
    an alternative to the fit: where the two disagree, beliefs are less sure.
    """
    default = Policy()
    halves = [Pool(itertools.chain(*problems[i::2])) for i in range(2)]
    if not all(half.traces for half in halves):
        return default
    fits = [fit(half) for half in halves]
    gain = sum(
        other.log_evidence(found) - other.log_evidence(default.priors[0])
        for found, other in zip(fits, reversed(halves), strict=True)
    )
    traces = sum(half.traces for half in halves)
    ratio = math.exp(min(gain / traces, 50.0))
    report(f"what was learned makes a trace that it was not learned from {ratio:,.1f} x as likely")
    if gain <= 0:
        return default
    whole = fit(Pool(itertools.chain(*problems)))
    return Policy((whole, PolicyPrior()), (0.7, 0.3))
