"""What is believed of one trace's first error, given everything that was seen of it.

`Observations` are counts; `Belief` runs the chain over them, under one or several priors of the
policy, and says where the first error may be and what one more rollout would tell.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from prmdata.labellers.belief import chain
from prmdata.labellers.belief.numbers import Array, BetaBinomial, Counts, normalised
from prmdata.labellers.belief.observations import Observations, Rollout
from prmdata.labellers.belief.policy import (
    RATES,
    SAMES,
    PolicyPrior,
    Tables,
    hazards,
    places,
)
from prmdata.labellers.belief.reading import Read, Reading
from prmdata.labellers.belief.signals import Curve, Signal

RATE_WORTH = 24.0
"""Rollouts that the level of a prefix is worth: levels are a grid, rates are not."""
SAME_WORTH = 6.0
HITS = BetaBinomial(RATES, RATE_WORTH)
SAME = BetaBinomial(SAMES, SAME_WORTH)
NO_HIT = BetaBinomial(np.array([0.002]), RATE_WORTH)
"""What rollouts do where the reference answer is wrong."""
NODES = 20
"""A longer trace is looked at through this many of its prefixes, closest where the error may be."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is believed, and what one more rollout would tell."""

    first_f: Array
    """P(f) for f = 1 … T, and last: no step is wrong."""
    sure: float
    """How sure it is of the step g where the policy is lost: what rollouts can tell."""
    gain_t: Array
    """Bits that one rollout from prefix t is expected to tell of g."""
    outcome_th: Array
    """It hits, misses with the trace's answer, with another."""
    repeat_t: Array
    """It writes the next step again."""

    def likeliest(self, start: int) -> Rollout:
        left = start
        while left < len(self.gain_t) - 1 and self.repeat_t[left] > 0.5:
            left += 1
        outcome = self.outcome_th[left].argmax()
        return Rollout(start, left - start, hit=bool(outcome == 0), same=bool(outcome == 1))


class Belief:
    """The chain over one trace's observations, under priors that weigh as given."""

    def __init__(
        self,
        priors: Sequence[PolicyPrior],
        seen: Observations,
        weights: Sequence[float] = (1.0,),
        curves: Sequence[Curve] = (),
        *,
        fatal: bool = False,
    ) -> None:
        """`fatal`: look for the last error that is never put right, not for the first one."""
        self.priors, self.seen, self.fatal = priors, seen, fatal
        T = self.steps = seen.steps
        self.log_weights = np.log(np.asarray(weights) / sum(weights))
        self._place_bf = np.stack([places(prior, T) for prior in priors])
        self._reading = Reading(priors, seen)
        self._signals = signal_ratios(curves, seen.signals, T)
        self._first_f = self._place_bf.mean(0)

    def copy(self) -> Belief:
        other = copy(self)
        other.seen = self.seen.copy()
        return other

    def lost(self) -> Array:
        """P(the policy is lost at g), by prior and by the level of the prefix before."""
        nodes = self._nodes()
        passes, inside_bfl = self._run(nodes)
        weight_b, none_b = self._weights(passes)
        return _by_step(passes, nodes, inside_bfl) * (weight_b * (1 - none_b))[:, None, None]

    def outlook(self) -> Outlook:
        nodes = self._nodes()
        passes, inside_bfl = self._run(nodes)
        weight_b, none_b = self._weights(passes)
        lost_bgl = _by_step(passes, nodes, inside_bfl)
        no_error_b = none_b
        if self.seen.ends_right:
            never = (passes.never_tbcl[-1] * passes.rest_tbscl[-1, :, 0]).sum((1, 2))
            full = (passes.now_tbscl[-1] * passes.rest_tbscl[-1]).sum((1, 2, 3))
            no_error_b = none_b + (1 - none_b) * never / full
        read = self._reading.read(lost_bgl * (weight_b * (1 - no_error_b))[:, None, None])
        no_error = float(weight_b @ no_error_b)
        first_f = np.append(np.maximum(read.first_f, 0), no_error)
        first_f /= first_f.sum()
        self._first_f = first_f[:-1]
        return self._looked_ahead(nodes, passes, weight_b, none_b, first_f, read)

    def first(self) -> Array:
        return self.outlook().first_f

    def log_evidence(self) -> float:
        """The log-probability of all that was seen, up to a constant: what fitting maximises."""
        passes, _ = self._run(self._nodes())
        return float(np.logaddexp.reduce(self.log_weights + self._log_total(passes)))

    def _nodes(self) -> Counts:
        T = self.steps
        if T <= NODES:
            return np.arange(T + 1)
        seen = np.flatnonzero(self.seen.hits + self.seen.sames + self.seen.others)
        shares = 0.8 * self._first_f / self._first_f.sum() + 0.2 / T
        quantiles = np.searchsorted(shares.cumsum(), (np.arange(NODES) + 0.5) / NODES) + 1
        return np.unique(np.concatenate([[0, T], seen, np.clip(quantiles, 1, T)]))

    def _run(self, nodes: Counts) -> tuple[chain.Passes, Array]:
        """The passes, and how P(f in a segment) is shared among its steps."""
        gaps = np.diff(nodes)
        error, after = self._signals
        error_bfl = self._reading.error_bfl + (self._repetition() + error)[..., None]
        after_bf = self._reading.after_bf + after
        starts = nodes[:-1]
        T = self.steps
        pairs = [
            hazards(
                prior,
                place,
                starts,
                self.seen.own,
                prior.hidden if self.seen.ends_right else 1.0,
            )
            for prior, place in zip(self.priors, self._place_bf, strict=True)
        ]
        hazard, settle = (np.stack(side) for side in zip(*pairs, strict=True))
        after_bj = np.add.reduceat(after_bf, starts, axis=1)
        since = np.concatenate([np.zeros((len(after_bf), 1)), after_bf.cumsum(1)], 1)
        ends = np.repeat(nodes[1:], gaps)
        follows = np.log(self._place_bf) + since[:, ends] - since[:, 1:]
        log = error_bfl + follows[..., None]
        top = np.maximum.reduceat(log, starts, axis=1)
        weights = np.exp(log - np.repeat(top, gaps, axis=1))
        totals = np.add.reduceat(weights, starts, axis=1)
        places_bj = np.add.reduceat(self._place_bf, starts, axis=1)
        error_bjl = np.exp(top) * totals / places_bj[..., None]
        segments = chain.Segments(hazard, settle, error_bjl, np.exp(after_bj))
        tables = Tables.of(self.priors, T, gaps.tolist())
        passes = chain.run(
            tables,
            segments,
            self._likelihoods(nodes[:-1]),
            self.seen.ends_right,
            fatal=self.fatal,
        )
        return passes, weights / np.repeat(totals, gaps, axis=1)

    def _likelihoods(self, prefixes: Counts) -> Array:
        """Of the rollouts at some prefixes, by side, pair of shares and level."""
        seen = self.seen
        misses = seen.sames + seen.others
        hit = HITS.log(seen.hits[prefixes], misses[prefixes])
        same = SAME.log(seen.sames[prefixes], seen.others[prefixes])
        count = len(SAMES)
        if seen.ends_right:  # its answer is the right one: no miss can end in it
            same = np.zeros_like(same)
        before, after = np.repeat(same, count, 1), np.tile(same, (1, count))
        by_class = np.stack([before, before, after], 1)
        log = hit[:, None, None] + by_class[..., None]
        likelihood: Array = np.exp(log - log.max((1, 2, 3), keepdims=True))[:, None]
        self._log_scale = log.max((1, 2, 3)).sum()
        return likelihood

    def _repetition(self) -> Array:
        """For each step, what its being written again or not says for its being the error."""
        seen = self.seen
        ratios = np.zeros((len(self.priors), self.steps))
        at = np.flatnonzero(seen.passed)
        if not len(at):
            return ratios
        yes, no = seen.repeats[at], (seen.passed - seen.repeats)[at]
        for row, prior in zip(ratios, self.priors, strict=True):
            right, wrong = repetition(prior)
            row[at] = wrong.log(yes, no)[:, 0] - right.log(yes, no)[:, 0]
        return ratios

    def _log_total(self, passes: chain.Passes) -> Array:
        log_none = log_no_error(self.seen)
        gold = np.array([p.gold_wrong for p in self.priors]) * (not self.seen.ends_right)
        with np.errstate(divide="ignore"):
            total: Array = np.logaddexp(
                np.log1p(-gold) + passes.log_b + self._log_scale, np.log(gold) + log_none
            )
        return total

    def _weights(self, passes: chain.Passes) -> tuple[Array, Array]:
        """Of each prior; and under each, P(the reference answer is wrong)."""
        total = self._log_total(passes)
        gold = np.array([p.gold_wrong for p in self.priors]) * (not self.seen.ends_right)
        with np.errstate(divide="ignore"):
            none = np.exp(np.log(gold) + log_no_error(self.seen) - total)
        weights = self.log_weights + total
        if len(self.priors) > 1 and not self.seen.ends_right:
            weights = weights - [log_ends_wrong(p, self.steps, self.seen.own) for p in self.priors]
        return normalised(weights, 0), none

    def _looked_ahead(
        self,
        nodes: Counts,
        passes: chain.Passes,
        weight_b: Array,
        none_b: Array,
        first_f: Array,
        read: Read,
    ) -> Outlook:
        prefixes = nodes[:-1]
        seen = self.seen
        misses = (seen.sames + seen.others)[prefixes]
        hit_tl = HITS.next(seen.hits[prefixes], misses)
        same_ti = SAME.next(seen.sames[prefixes], seen.others[prefixes])
        if seen.ends_right:
            same_ti = np.zeros_like(same_ti)
        count = len(SAMES)
        never = passes.never_tbcl[:-1] * passes.rest_tbscl[:-1, :, 0]
        now = passes.now_tbscl[:-1] * passes.rest_tbscl[:-1]
        total = now.sum((2, 3, 4))
        share = (weight_b * (1 - none_b)) / total
        never_tcl = np.einsum("tbcl,tb->tcl", never, share)
        right_tcl = np.einsum("tbcl,tb->tcl", now[:, :, 0], share) - never_tcl
        open_tcl = np.einsum("tbcl,tb->tcl", now[:, :, chain.OPEN], share)
        settled_tcl = np.einsum("tbcl,tb->tcl", now[:, :, chain.SETTLED], share)
        before, after = np.repeat(same_ti, count, 1), np.tile(same_ti, (1, count))
        never_th = _outcomes(never_tcl, hit_tl, before)
        past_th = _outcomes(right_tcl + open_tcl, hit_tl, before)
        past_th += _outcomes(settled_tcl, hit_tl, after)
        if self.fatal:  # what is put right later is not past it
            last = passes.now_tbscl[:-1, :, chain.OPEN :] * passes.last_tbscl[:-1]
            for_good = np.einsum("tbscl,tb->stcl", last, share)
            either_th = never_th + past_th
            past_th = _outcomes(for_good[0], hit_tl, before) + _outcomes(for_good[1], hit_tl, after)
            never_th = either_th - past_th
        past, ahead = (side[prefixes, None] for side in (read.past_t(), read.ahead_t()))
        joint = np.maximum(np.stack([ahead * never_th, past * past_th], 1), 0)
        joint[:, 0] += float(weight_b @ none_b) * np.array([0.002, 0.499, 0.499])
        gain = np.zeros(self.steps)
        gain[prefixes] = _information(joint)
        outcome = np.zeros((self.steps, 3))
        outcome[prefixes] = joint.sum(1) / joint.sum((1, 2))[:, None]
        repeat = np.array([p.repeat for p in self.priors])[:, None]
        worth = np.array([p.repeat_worth for p in self.priors])[:, None]
        repeats = weight_b @ ((repeat * worth + seen.repeats) / (worth + seen.passed))
        sure = max(read.lost_g.max() / read.lost_g.sum() * first_f[:-1].sum(), first_f[-1])
        return Outlook(first_f, float(sure), gain, outcome, repeats)


def _by_step(passes: chain.Passes, nodes: Counts, inside_bfl: Array) -> Array:
    by_segment = normalised(passes.log_first_bjl, (1, 2))
    return np.asarray(np.repeat(by_segment, np.diff(nodes), axis=1) * inside_bfl)


def _outcomes(weights_tcl: Array, hit_tl: Array, same_tc: Array) -> Array:
    hit = np.einsum("tcl,tl->t", weights_tcl, hit_tl)
    miss_tc = np.einsum("tcl,tl->tc", weights_tcl, 1 - hit_tl)
    same = (miss_tc * same_tc).sum(1)
    return np.stack([hit, same, miss_tc.sum(1) - same], 1)


def _information(joint_tsh: Array) -> Array:
    """Bits that the outcome h tells of the side s."""
    joint = joint_tsh / joint_tsh.sum((1, 2), keepdims=True)
    apart = joint.sum(1, keepdims=True) * joint.sum(2, keepdims=True)
    bits: Array = (joint * np.log2(np.maximum(joint, 1e-300) / np.maximum(apart, 1e-300))).sum(
        (1, 2)
    )
    return np.maximum(bits, 0)


@functools.lru_cache(512)
def _beta_binomial(rate: float, worth: float) -> BetaBinomial:
    return BetaBinomial(np.array([rate]), worth)


def repetition(prior: PolicyPrior) -> tuple[BetaBinomial, BetaBinomial]:
    """How often a right step, and the first wrong one, is written again."""
    return (
        _beta_binomial(prior.repeat, prior.repeat_worth),
        _beta_binomial(prior.repeat * prior.repeat_wrong, prior.repeat_worth),
    )


@functools.lru_cache(4096)
def log_ends_wrong(prior: PolicyPrior, steps: int, own: bool) -> float:
    """The log-probability that a trace ends wrong, before anything else is seen of it.

    Traces that end wrong are chosen for it: what is likely of them is likely given that.
    """
    nodes = np.unique(np.linspace(0, steps, min(steps, NODES) + 1).round().astype(int))
    gaps = np.diff(nodes)
    hazard, settle = hazards(prior, places(prior, steps), nodes[:-1], own)
    one = np.ones((1, len(gaps)))
    error = one[..., None]
    classes = len(SAMES) ** 2
    blank = np.ones((len(gaps), 1, 3, classes, len(RATES)))
    segments = chain.Segments(hazard[None], settle[None], error, one)
    tables = Tables.of([prior], steps, gaps.tolist())
    passes = chain.forward(tables, segments, blank, ends_right=False)
    wrong = float(np.exp(passes.log_b[0]))
    return float(np.log((1 - prior.gold_wrong) * wrong + prior.gold_wrong))


def log_no_error(seen: Observations) -> float:
    """The log-probability of the rollouts where the reference answer is wrong: hardly any hits."""
    misses = seen.sames + seen.others
    hit = NO_HIT.log(seen.hits, misses).sum()
    same = np.logaddexp.reduce(SAME.log(seen.sames, seen.others).sum(0)) - np.log(len(SAMES))
    return float(hit + same)


def signal_ratios(curves: Sequence[Curve], signals: Sequence[Signal], steps: int) -> Array:
    """Log-ratios to a right step, of each step's signals: for the first error, and after it."""
    known = {curve.name: curve for curve in curves}
    each = [known[signal.name].ratios(signal) for signal in signals if signal.name in known]
    return np.sum(each, axis=0) if each else np.zeros((2, steps))
