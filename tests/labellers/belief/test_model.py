"""The chain against a brute-force sum over every path, and what the belief makes of it."""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from prmdata.labellers.belief.model import NODES, Belief
from prmdata.labellers.belief.observations import Observations, Rollout, Source
from prmdata.labellers.belief.policy import RATES, SAMES, TOOL, PolicyPrior

PRIORS = (
    PolicyPrior(),
    PolicyPrior(
        start=0.8, entry=-1.5, drop=0.5, mend=0.9, second=0.7, own=0.9, repeat=0.6,
        repeat_wrong=0.2, place_slope=1.0, gold_wrong=0.2, hidden=0.5,
    ),
)  # fmt: skip


def log_beta_binomial(yes: int, no: int, rate: float, worth: float) -> float:
    a, b = rate * worth, (1 - rate) * worth
    beta = math.lgamma(a + yes) + math.lgamma(b + no) - math.lgamma(worth + yes + no)
    return beta - (math.lgamma(a) + math.lgamma(b) - math.lgamma(worth))


def bell(mean: float, spread: float) -> np.ndarray:
    logits = np.log(RATES / (1 - RATES))
    weights = np.exp(-0.5 * ((logits - mean) / spread) ** 2)
    return weights / weights.sum()


def walk(up: float, down: float, drop: float, time: float) -> np.ndarray:
    """Many small steps in the place of an exponential."""
    rates = np.zeros((9, 9))
    for level in range(9):
        if level < 8:
            rates[level, level + 1] += up
        if level > 0:
            rates[level, level - 1] += down
            for lower in range(level):
                rates[level, lower] += drop / level
        rates[level, level] = -rates[level].sum()
    return np.linalg.matrix_power(np.eye(9) + rates * time / 2**20, 2**20)


def brute_force(prior: PolicyPrior, seen: Observations, *, fatal: bool = False) -> np.ndarray:
    """P(f) for f = 1 … T and none, summed over all paths of side and level."""
    T = seen.steps
    x = (np.arange(T) + 0.5) / T
    place = np.exp(prior.place_slope * x + prior.place_curve * (2 * x - 1) ** 2)
    place = place / place.sum()
    hidden = prior.hidden if seen.ends_right else 1.0
    ahead = 1 - hidden * np.concatenate([[0.0], place.cumsum()[:-1]])
    stays = np.maximum(1 - hidden * place / ahead, 1e-12)
    start = bell(prior.start, prior.start_spread)
    entry = 0.85 * bell(prior.entry, prior.entry_spread) + 0.15 * bell(-2.0, 1.3)
    into = np.array(
        [[w * (0.1 if to > at else 1.0) for to, w in enumerate(entry)] for at in range(9)]
    )
    into /= into.sum(1, keepdims=True)
    right = walk(prior.rise, prior.fall, prior.drop, 1 / T)
    wrong = walk(prior.lift, prior.fade, 0.0, 1 / T)
    mend = 1 - math.exp(-prior.mend / T)

    def rollouts(t: int, side: str, level: int, before: float, after: float) -> float:
        hits, same, other = int(seen.hits[t]), int(seen.sames[t]), int(seen.others[t])
        log = log_beta_binomial(hits, same + other, RATES[level], 24.0)
        if not seen.ends_right:
            log += log_beta_binomial(same, other, after if side == "S" else before, 6.0)
        return math.exp(log)

    def moves(t: int, side: str, level: int) -> Iterator[tuple[str, int, float, bool]]:
        """Side and level after step t + 1, with the chance; and whether the step is an error."""
        survive = stays[t] ** (1 - (prior.own if seen.own else 0.0))
        survive *= RATES[level] ** ((prior.own if seen.own else 0.0) / (T - t))
        for to in range(9):
            if side == "R":
                yield "R", to, survive * right[level, to], False
                yield "O", to, (1 - survive) * prior.second * into[level, to], True
                yield "S", to, (1 - survive) * (1 - prior.second) * into[level, to], True
                continue
            yield "R", to, mend * start[to], False
            if side == "O":
                yield "O", to, (1 - mend) * stays[t] * wrong[level, to], False
                yield "S", to, (1 - mend) * (1 - stays[t]) * into[level, to], False
            else:
                yield "S", to, (1 - mend) * wrong[level, to], False

    def verdicts(t: int, row: int) -> float:
        """What they say of step t + 1: 0 were it right, 1 the first wrong one, 2 a later one."""
        ratio = 1.0
        for source in seen.sources:
            column = {"right": 0, "wrong": 1}.get(source.verdicts[t] or "", 2)
            ratio *= TOOL[row][column] / TOOL[0][column]
        return ratio

    def read(g: int, level: int, f: int) -> float:
        """P(the first wrong step is f, and what verdicts say of it | the policy is lost at g)."""
        if seen.ends_right:
            return float(g == f)
        share = {"later": prior.turn * (1 - RATES[level]), "earlier": prior.slow}
        room = {
            "later": range(g + 1, min(g + 8, T) + 1),
            "earlier": range(max(g - 4, 1), g),
        }
        chance = 1.0 * (f == g)
        for way, steps in room.items():
            if steps:
                total = sum(0.5 ** abs(s - g) for s in steps)
                inside = 0.5 ** abs(f - g) / total if f in steps else 0.0
                chance += share[way] * (inside - (f == g))
        return chance * math.prod(verdicts(t, 1 if t + 1 == f else 2) for t in range(f - 1, T))

    def step(t: int, side: str, error: bool) -> float:
        """What repetition says of step t + 1, against its being right; and verdicts, where errors
        were put right."""
        ratio = verdicts(t, 1 if error else 0 if side == "R" else 2) if seen.ends_right else 1.0
        if error:
            yes, no = int(seen.repeats[t]), int(seen.passed[t] - seen.repeats[t])
            rates = prior.repeat * prior.repeat_wrong, prior.repeat
            found, usual = (log_beta_binomial(yes, no, r, prior.repeat_worth) for r in rates)
            ratio *= math.exp(found - usual)
        return ratio

    def onward(t: int, side: str, level: int, before: float, after: float) -> float:
        """The chance of all that comes after prefix t, its own rollouts included."""
        if t == T:
            if seen.ends_right:
                return 1.0 if side == "R" else RATES[level]
            return float(side == "S")
        own = rollouts(t, side, level, before, after)
        total = 0.0
        for to, at, chance, error in moves(t, side, level):
            # evidence of a step that is put right counts as of one after the error
            weight = step(t, side if not error else "R", error)
            total += chance * weight * memo(t + 1, to, at, before, after)
        return own * total

    cache: dict[tuple[object, ...], float] = {}

    def memo(*at: object) -> float:
        if at not in cache:
            cache[at] = onward(*at)  # type: ignore[arg-type]
        return cache[at]

    def never(t: int, level: int, before: float, after: float, g: int, f: int) -> float:
        """From a right prefix t: the policy is lost at step g, and the first error is step f."""
        own = rollouts(t, "R", level, before, after)
        total = 0.0
        for to, at, chance, error in moves(t, "R", level):
            if error and t + 1 == g:
                weight = step(t, "R", True) * read(g, level, f)
                total += chance * weight * memo(t + 1, to, at, before, after)
            elif not error and g > T and t + 1 == T:
                total += chance
            elif not error and t + 1 < g:
                total += chance * never(t + 1, at, before, after, g, f)
        return own * total

    @functools.cache
    def for_good(t: int, side: str, level: int, before: float, after: float) -> float:
        """As `onward` of a wrong side that stays wrong."""
        if t == T:
            return float(side == "S")
        return rollouts(t, side, level, before, after) * sum(
            chance * step(t, side, False) * for_good(t + 1, to, at, before, after)
            for to, at, chance, _ in moves(t, side, level)
            if to != "R"
        )

    @functools.cache
    def last(t: int, side: str, level: int, before: float, after: float, g: int, f: int) -> float:
        """From prefix t: the last error from a right prefix is step g, and it reads wrong at f."""
        total = 0.0
        for to, at, chance, error in moves(t, side, level):
            if t + 1 < g:
                weight = step(t, "R" if error else side, error)
                total += chance * weight * last(t + 1, to, at, before, after, g, f)
            elif error:
                weight = step(t, "R", True) * read(g, level, f)
                total += chance * weight * for_good(t + 1, to, at, before, after)
        return rollouts(t, side, level, before, after) * total

    def path(v: int, before: float, after: float, g: int, f: int) -> float:
        if fatal:
            return last(0, "R", v, before, after, g, f)
        return never(0, v, before, after, g, f)

    found = np.zeros(T + 1)
    for (i, before), (k, after) in itertools.product(enumerate(SAMES), repeat=2):
        weight = prior.same_before[i] * prior.same_after[k]
        places = [(g, f) for g in range(1, T + 1) for f in range(1, T + 1)]
        if seen.ends_right:
            places = [(g, g) for g in range(1, T + 2)]
        for g, f in places:
            total = sum(start[v] * path(v, before, after, g, f) for v in range(9))
            found[f - 1] += weight * total
    if not seen.ends_right:
        log = sum(
            log_beta_binomial(int(h), int(s + o), 0.002, 24.0)
            for h, s, o in zip(seen.hits, seen.sames, seen.others, strict=True)
        )
        same = np.mean(
            [
                math.exp(
                    sum(
                        log_beta_binomial(int(s), int(o), q, 6.0)
                        for s, o in zip(seen.sames, seen.others, strict=True)
                    )
                )
                for q in SAMES
            ]
        )
        found[:T] *= 1 - prior.gold_wrong
        found[T] = prior.gold_wrong * math.exp(log) * same
    return found / found.sum()


def observed(steps: int, seed: int, *, ends_right: bool = False, own: bool = True) -> Observations:
    chance = random.Random(seed)
    verdicts = tuple(chance.choice(["right", "wrong", "unknown", None]) for _ in range(steps))
    sources = (Source("sums", verdicts),) if seed % 2 else ()
    seen = Observations(steps, ends_right, own, sources)
    for _ in range(chance.randrange(1, 12)):
        start = chance.randrange(steps)
        hit = chance.random() < 0.4
        same = not hit and not ends_right and chance.random() < 0.5
        seen.add(Rollout(start, chance.randrange(steps - start + 1), hit, same))
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_fatal_error_is_the_sum_over_every_path(seed: int) -> None:
    prior = replace(PRIORS[seed % 2], mend=0.8)
    seen = observed(3, seed)
    found = Belief([prior], seen, fatal=True).first()
    assert found == pytest.approx(brute_force(prior, seen, fatal=True), abs=1e-7)
    assert abs(found - Belief([prior], seen).first()).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_sum_over_every_path(seed: int) -> None:
    prior = PRIORS[seed % 2 if seed < 4 else 1]
    seen = observed(2 + seed % 2, seed, ends_right=seed in (3, 6), own=seed != 5)
    found = Belief([prior], seen).first()
    assert found == pytest.approx(brute_force(prior, seen), abs=1e-7)


def test_alternatives_weigh_by_what_they_make_likely() -> None:
    seen = observed(3, 1)
    both = Belief(PRIORS, seen, (0.5, 0.5))
    alone = [Belief([prior], seen) for prior in PRIORS]
    mixed = both.first()
    low, high = np.minimum(*(b.first() for b in alone)), np.maximum(*(b.first() for b in alone))
    assert ((low - 1e-9 <= mixed) & (mixed <= high + 1e-9)).all()
    assert Belief(PRIORS, seen, (1.0, 1e-12)).first() == pytest.approx(alone[0].first(), abs=1e-6)


def test_a_long_trace_is_seen_through_fewer_prefixes_and_stays_close() -> None:
    """Within a segment the error is placed by what is believed of its steps beforehand."""
    seen = Observations(20)
    for start, hit in [(4, True), (8, True), (14, True), (16, False), (16, False), (18, False)]:
        seen.add(Rollout(start, 0, hit))
    whole = Belief([PolicyPrior()], seen)
    parts = Belief([PolicyPrior()], seen)
    parts._nodes = lambda: np.arange(0, 21, 2)  # type: ignore[method-assign]
    pairs = whole.first()[:-1].reshape(-1, 2).sum(1)
    assert parts.first()[:-1].reshape(-1, 2).sum(1) == pytest.approx(pairs, abs=0.02)


@pytest.mark.parametrize("steps", [400, 5_000, 100_000])
def test_the_work_does_not_grow_with_the_steps(steps: int) -> None:
    seen = Observations(steps)
    for start in (steps // 2, steps // 3, steps // 5):
        seen.add(Rollout(start, 0, start < steps // 3))
    belief = Belief([PolicyPrior()], seen)
    outlook = belief.outlook()
    assert len(belief._nodes()) <= NODES + 5
    assert outlook.first_f.sum() == pytest.approx(1)
    assert outlook.gain_t.max() > 0


def test_a_hit_clears_the_steps_before_it_and_misses_blame_them() -> None:
    blank = Belief([PolicyPrior()], Observations(6)).first()
    hit, missed = Observations(6), Observations(6)
    for _ in range(6):
        hit.add(Rollout(3, 0, hit=True))
        missed.add(Rollout(3, 0, hit=False, same=True))
    assert Belief([PolicyPrior()], hit).first()[:3].sum() < 0.3 * blank[:3].sum()
    assert Belief([PolicyPrior()], missed).first()[:3].sum() > blank[:3].sum() + 0.1


def test_an_early_step_that_is_never_hit_from_may_be_right() -> None:
    """Nothing ever hits: no step can be told from another, and it does not pretend to."""
    seen = Observations(6)
    seen.add_tally(0, 1, 6)
    for start in range(1, 6):
        for _ in range(8):
            seen.add(Rollout(start, 0, hit=False))
    assert Belief([PolicyPrior()], seen).first().max() < 0.75


def test_a_reference_answer_that_nobody_reaches_is_doubted() -> None:
    doubtful = replace(PolicyPrior(), gold_wrong=0.1)
    never, often = Observations(5), Observations(5)
    never.add_tally(0, 6, 1)
    often.add_tally(4, 2, 1)
    for start in range(1, 5):
        for _ in range(6):
            never.add(Rollout(start, 0, hit=False, same=True))
            often.add(Rollout(start, 0, hit=start < 3, same=start >= 3))
    assert Belief([doubtful], never).first()[-1] > 0.1
    assert Belief([doubtful], often).first()[-1] < 1e-3


def test_the_same_verdicts_say_more_where_their_source_is_reliable() -> None:
    verdicts = ("right", "right", "wrong", "right", "unknown")
    found = [
        Belief(
            [PolicyPrior()], Observations(5, sources=(Source("x", verdicts, tool=tool),))
        ).first()
        for tool in (True, False)
    ]
    assert found[0][2] > found[1][2] > 1 / 5


def test_the_likeliest_rollout_repeats_steps_where_that_is_likelier_than_not() -> None:
    seen = Observations(5)
    for _ in range(6):
        seen.add(Rollout(1, 2, hit=True))
    outlook = Belief([replace(PolicyPrior(), repeat=0.8, repeat_worth=2.0)], seen).outlook()
    likeliest = outlook.likeliest(1)
    assert likeliest.start == 1
    assert likeliest.repeated == 2
