"""What is believed of one trace's first error, given rollouts: the model behind `posterior`.

Hypotheses are the places of the first error, f = 1 … T (and T + 1, none, where the trace ends
right). Three things are seen of a rollout from prefix t, and each has a model of its own:

- how many of the trace's next steps it writes again, word for word, before it goes its own way.
  It then counts as a rollout from the prefix where it left, and a step that independent
  samples write again is rather right than wrong;
- whether it hits. Before the error with the problem's own rate, which rises along the trace;
  after it only by recovering;
- where it misses: whether with the trace's own wrong answer, as errors that are carried on do.

The unknown rates are sums over small grids, so all is exact up to the grids.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prmdata.labellers.belief.chances import (
    SURE,
    Array,
    chance,
    information,
    log_sum,
    normal,
    over_last,
    sigmoid,
    with_seen,
)
from prmdata.labellers.belief.prior import PLACES, RECOVERY, REPEAT, VALUE, World

Steps = NDArray[np.int64]

AHEAD = 8
"""How many steps of repetition are told apart when the gain of a probe is reckoned."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a trace before any rollout is paid for."""

    steps: int
    ends_right: bool
    right: int = 0
    """Its siblings, that are not themselves counted as rollouts of a prefix."""
    wrong: int = 0
    same: int = 0
    """Of the wrong ones, those with this trace's answer."""
    detections: tuple[int, ...] = ()
    """For each verifier, the first step it calls wrong, from 1."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One rollout from the prefix of `start` steps, as far as the belief is concerned."""

    start: int
    kept: int
    """Steps of the trace that it wrote again."""
    hit: bool
    same: bool = False
    """Missed, with the trace's own answer."""


@dataclass(frozen=True, slots=True)
class Joint:
    """Log-probabilities of each f, and what is believed of the unknown rates given f."""

    log: Array
    value_fz: Array
    recovery_fe: Array
    end_fga: Array
    """Of the step g that settled the answer, and of the rate of repetition."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is believed, and what one more rollout from prefix 0 … T − 1 would be like."""

    place: Array
    """P(f), for f = 1 … T (and none)."""
    gain: Array
    """Bits about f."""
    ends_th: Array
    """It goes its own way at once, and: hits, misses with the trace's answer, with another."""
    again_t: Array
    """It writes the next step again."""

    def likeliest(self, start: int) -> Seen:
        left = start
        while left < len(self.gain) - 1 and self.again_t[left] > 0.5:
            left += 1
        how = self.ends_th[left].argmax()
        return Seen(start, left - start, hit=bool(how == 0), same=bool(how == 1))


class Belief:
    def __init__(self, world: World, known: Known) -> None:
        self.world, self.known = world, known
        T = self.steps = known.steps
        F = T + known.ends_right
        self.places = np.arange(1, F + 1)
        self._before = np.arange(T)[:, None] < self.places
        self._prior = self._prior_places() + self._detected()
        self._log_value = _log_value(world, known)
        self._value_tz = sigmoid(VALUE[None] + world.drift * np.arange(T)[:, None] / T)
        self._hits, self._rollouts = np.zeros(T), np.zeros(T)
        self._repeats, self._passed = np.zeros(T), np.zeros(T)
        self._sames = np.zeros(T)
        # log-likelihoods of what was seen, by the grid of the unknown rate; small, for thousands of
        # searches run at once
        self._right_fz = np.zeros((F, len(VALUE)))
        self._wrong_fe = np.zeros((F, len(RECOVERY)))
        self._said_g = np.zeros(F)
        self._again_tca = np.zeros((T, 2, len(REPEAT)))
        if known.ends_right:
            ended = self._recovery_fe(T)
            self._wrong_fe += np.log(np.where(self.places[:, None] <= T, ended, 1.0))

    def copy(self) -> Belief:
        other = copy(self)
        arrays = {name: kept for name, kept in vars(self).items() if isinstance(kept, np.ndarray)}
        vars(other).update({name: kept.copy() for name, kept in arrays.items()})
        return other

    def see(self, seen: Seen) -> None:
        """One more rollout."""
        for step in range(seen.start, seen.start + seen.kept):
            self._see_step(step, repeated=True)
        left = seen.start + seen.kept
        if left < self.steps:
            self._see_step(left, repeated=False)
            self._see_end(left, seen.hit, seen.same)

    def see_all(self, rollouts: Iterable[Seen]) -> None:
        """Many at once, before any was seen one by one: the same sums, faster."""
        hits, others, sames = (np.zeros(self.steps, int) for _ in range(3))
        repeats, passed = np.zeros(self.steps, int), np.zeros(self.steps, int)
        for seen in rollouts:
            left = seen.start + seen.kept
            repeats[seen.start : left] += 1
            passed[seen.start : left + 1] += 1
            if left < self.steps:
                (hits if seen.hit else sames if seen.same else others)[left] += 1
        misses, worth = sames + others, self.world.steadiness
        for t in map(int, np.flatnonzero(hits + misses)):
            before = self._before[t]
            self._right_fz[before] += chance(self._value_tz[t], worth, hits[t], misses[t])
            wrong_fe = chance(self._recovery_fe(t), worth, hits[t], misses[t])
            self._wrong_fe[~before] += wrong_fe[~before]
            if not self.known.ends_right:
                at = np.array([t])
                said = chance(self._same(at)[0], self._same_worth(at)[0], sames[t], others[t])
                self._said_g += said
        usual = np.broadcast_to(REPEAT, (self.steps, len(REPEAT)))
        for kind, share in enumerate((1.0, self.world.repeat_error)):
            self._again_tca[:, kind] += chance(
                usual * share,
                self.world.repeat_steadiness,
                repeats[:, None],
                (passed - repeats)[:, None],
            )
        self._hits += hits
        self._sames += sames
        self._rollouts += hits + misses
        self._repeats += repeats
        self._passed += passed

    def posterior(self) -> Array:
        """P(f), for f = 1 … T (and none)."""
        return normal(self._joint().log, 0)

    def log_evidence(self) -> float:
        """The log-probability of all that was seen, up to a constant: what `fit` maximises."""
        log = self._joint().log
        top = log.max()
        return float(top + np.log(np.exp(log - top).sum()))

    def unknowns(self) -> tuple[Array, Array]:
        """Given each f, what is believed of the rates of recovery and of repetition."""
        joint = self._joint()
        return joint.recovery_fe, joint.end_fga.sum(1)

    def outlook(self) -> Outlook:
        joint = self._joint()
        belief = normal(joint.log, 0)
        likely = belief > 1e-5
        p = belief[likely] / belief[likely].sum()
        hit, same, again = (rates[:, likely] for rates in self._rates(joint))
        T = self.steps
        three = np.stack([hit, (1 - hit) * same, (1 - hit) * (1 - same)], 1)  # prefix, how, f
        three_left = three * (1 - again)[:, None]
        reach = np.ones((T, len(p)))
        gain = np.zeros(T)
        for ahead in range(min(AHEAD, T)):
            rows = T - ahead
            gain[:rows] += information(reach[:rows, None] * three_left[ahead:], p)
            reach[:rows] *= again[ahead:]
        gain += information(reach[:, None], p)
        return Outlook(belief, gain, over_last(three_left, p), over_last(again, p))

    def _joint(self) -> Joint:
        value_fz = self._log_value + self._right_fz
        recovery_fe = np.log(np.maximum(self.world.recovery, SURE)) + self._wrong_fe
        usual, error = self._again_tca[:, 0], self._again_tca[:, 1]
        less_ga = np.zeros((len(self.places), len(REPEAT)))
        less_ga[: self.steps] = error - usual
        others = ~np.eye(len(self.places), dtype=bool)[..., None]
        repeat_fga = (
            np.log(np.maximum(self.world.repeat, SURE))
            + usual.sum(0)
            + less_ga[:, None]
            + others * less_ga[None]
            + (self._second_errors() + self._said_g)[..., None]
        )
        end_fga = repeat_fga.reshape(len(self.places), -1)
        log = self._prior + log_sum(value_fz) + log_sum(recovery_fe) + log_sum(end_fga)
        return Joint(
            log,
            normal(value_fz, 1),
            normal(recovery_fe, 1),
            normal(end_fga, 1).reshape(repeat_fga.shape),
        )

    def _rates(self, joint: Joint) -> tuple[Array, Array, Array]:
        """P(hit), P(same | miss), P(the next step is written again), by prefix and f."""
        steps = np.arange(self.steps)
        right = over_last(self._right_rates(steps), joint.value_fz)
        wrong = with_seen(
            self._recovered(joint),
            self.world.steadiness,
            self._hits[:, None],
            self._rollouts[:, None],
        )
        hit = np.where(self._before, right, wrong)
        same = over_last(self._same_now(steps), joint.end_fga.sum(2))
        usual, error = self._again_rates()
        T = self.steps
        wrong_fta = joint.end_fga[:, :T] + 0
        wrong_fta[np.arange(T), np.arange(T)] = joint.end_fga[:T].sum(1)
        again = over_last(usual, joint.end_fga.sum(1))
        again += np.einsum("ta,fta->tf", error - usual, wrong_fta)
        return hit, same, again

    def _see_step(self, step: int, *, repeated: bool) -> None:
        for kind, rates in enumerate(self._again_rates()):
            rate = rates[step]
            self._again_tca[step, kind] += np.log(rate if repeated else 1 - rate)
        self._passed[step] += 1
        self._repeats[step] += repeated

    def _see_end(self, t: int, hit: bool, same: bool) -> None:
        at, before = np.array([t]), self._before[t]
        right = self._right_rates(at)[0]
        wrong = with_seen(
            self._recovery_fe(t)[~before],
            self.world.steadiness,
            self._hits[at],
            self._rollouts[at],
        )
        self._right_fz[before] += np.log(right if hit else 1 - right)
        self._wrong_fe[~before] += np.log(wrong if hit else 1 - wrong)
        if not hit and not self.known.ends_right:
            said = self._same_now(at)[0]
            self._said_g += np.log(said if same else 1 - said)
            self._sames[t] += same
        self._hits[t] += hit
        self._rollouts[t] += 1

    # Beta-binomial predictions: the model's rate, worth `steadiness` rollouts, and those seen.
    def _right_rates(self, steps: Steps) -> Array:
        seen = self._hits[steps, None], self._rollouts[steps, None]
        return with_seen(self._value_tz[steps], self.world.steadiness, *seen)

    def _fading(self, steps: Steps) -> Array:
        """What is left of the rate of recovery at each prefix, by f."""
        since = np.maximum(steps[:, None] - self.places, 0)
        left: Array = np.exp(-self.world.fading * since)
        return left

    def _recovery_fe(self, step: int) -> Array:
        return RECOVERY * self._fading(np.array([step])).T

    def _recovered(self, joint: Joint) -> Array:
        """The mean rate of recovery, by prefix and f."""
        means: Array = (RECOVERY * joint.recovery_fe).sum(1)
        return self._fading(np.arange(self.steps)) * means

    def _again_rates(self) -> tuple[Array, Array]:
        worth = self.world.repeat_steadiness
        seen = self._repeats[:, None], self._passed[:, None]
        usual = np.broadcast_to(REPEAT, (self.steps, len(REPEAT)))
        return (
            with_seen(usual, worth, *seen),
            with_seen(usual * self.world.repeat_error, worth, *seen),
        )

    def _same_now(self, steps: Steps) -> Array:
        misses = (self._rollouts - self._hits)[steps, None]
        worth = self._same_worth(steps)
        return with_seen(self._same(steps), worth, self._sames[steps, None], misses)

    def _same_worth(self, steps: Steps) -> Array:
        worth: Array = np.where(self._before[steps], *self.world.same_steadiness)
        return worth

    def _same(self, steps: Steps) -> Array:
        t, f = steps[:, None], self.places
        count, of, rise = self.world.same_before
        at_first = (self.known.same + count) / (self.known.wrong + of)
        before = sigmoid(np.log(at_first / (1 - at_first)) + rise * t / self.steps)
        start, more = self.world.same_after
        after = start + more * (1 - start) * (t - f) / np.maximum(self.steps - f, 1)
        rates: Array = np.where(t < f, before, np.clip(after, 0.01, 0.99))
        return rates

    def _second_errors(self) -> Array:
        """log P(g | f): the wrong answer was settled by step g, mostly the first error itself."""
        F, again = len(self.places), self.world.second
        later = np.triu(np.ones((F, F)), 1)
        later[:, self.steps :] = 0  # "no error" has no second one
        count = later.sum(1, keepdims=True)
        shares = np.where(count > 0, again * later / np.maximum(count, 1), 0.0)
        shares[np.diag_indices(F)] = 1 - shares.sum(1)
        logs: Array = np.log(np.maximum(shares, SURE))
        return logs

    def _prior_places(self) -> Array:
        T = self.steps
        bins = np.minimum(((np.arange(T) + 0.5) / T * PLACES).astype(int), PLACES - 1)
        weights: Array = np.asarray(self.world.place)[bins]
        weights = weights / weights.sum()
        if self.known.ends_right:
            hidden = self.world.hidden
            weights = np.append(hidden * weights, 1 - hidden)
        logs: Array = np.log(np.maximum(weights, SURE))
        return logs

    def _detected(self) -> Array:
        """Log-likelihood of what verifiers call wrong: rather at the error than past or before."""
        exact, late, early = self.world.detection
        T = self.steps
        log = np.zeros(len(self.places))
        for place in self.known.detections:
            at = np.where(self.places == place, exact, late / T)
            log += np.log(np.where(self.places > place, early / T, at))
        return log


def _log_value(world: World, known: Known) -> Array:
    """The log-weights of the log-odds of a hit, from how the problem's other traces ended."""
    r = np.arange(0.05, 0.96, 0.05)
    seen = known.right * np.log(r) + known.wrong * np.log(1 - r) - 0.3 * np.log(r * (1 - r))
    apart = (VALUE[:, None] - np.log(r / (1 - r))) / world.spread
    log = log_sum(seen - 0.5 * apart**2)
    weights: Array = log - log_sum(log[None])
    return weights
