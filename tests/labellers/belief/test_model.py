"""The belief about the first error, against the joint distribution enumerated one by one."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from prmdata.labellers.belief.model import AHEAD, Belief, Known, Outlook, Seen
from prmdata.labellers.belief.prior import RECOVERY, REPEAT, VALUE, World

WORLD = World(
    place=(0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05),
    spread=0.7,
    drift=1.3,
    fading=0.2,
    second=0.35,
    repeat=(0.3, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1),
    hidden=0.4,
)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


class Counter:
    """One beta-binomial urn: predicts, then remembers."""

    def __init__(self, rate: float, worth: float) -> None:
        self.yes, self.all, self.rate, self.worth = 0, 0, rate, worth

    def chance(self, yes: bool) -> float:
        p = (self.rate * self.worth + self.yes) / (self.worth + self.all)
        self.yes += yes
        self.all += 1
        return p if yes else 1 - p


def joint(world: World, known: Known, rollouts: list[Seen]) -> dict[int, float]:
    """P(f, everything seen), summed over all that is not known, by plain loops."""
    T = known.steps
    places = range(1, T + 1 + known.ends_right)
    bins = [min(int((i + 0.5) / T * 8), 7) for i in range(T)]
    mass = sum(world.place[b] for b in bins)
    value_weights = []
    for z in VALUE:
        total = 0.0
        for i in range(1, 20):
            r = i / 20
            total += (
                r**known.right
                * (1 - r) ** known.wrong
                * (r * (1 - r)) ** -0.3
                * math.exp(-0.5 * ((z - math.log(r / (1 - r))) / world.spread) ** 2)
            )
        value_weights.append(total)
    found = {}
    for f in places:
        if f > T:
            prior = 1 - world.hidden
        else:
            prior = world.place[bins[f - 1]] / mass * (world.hidden if known.ends_right else 1)
        later = list(range(f + 1, T + 1)) if f <= T else []
        total = 0.0
        for (vw, z), (ew, e), (aw, a) in itertools.product(
            zip(value_weights, VALUE, strict=True),
            zip(world.recovery, RECOVERY, strict=True),
            zip(world.repeat, REPEAT, strict=True),
        ):
            for g in [f, *later]:
                pair = world.second / len(later) if g > f else 1 - world.second * bool(later)
                total += (vw / sum(value_weights) * ew * aw * pair) * likelihood(
                    world, known, rollouts, f, g, z, e, a
                )
        found[f] = prior * total
    return found


def likelihood(
    world: World, known: Known, rollouts: list[Seen], f: int, g: int, z: float, e: float, a: float
) -> float:
    T = known.steps
    hit = [
        Counter(
            sigmoid(z + world.drift * t / T) if t < f else e * math.exp(-world.fading * (t - f)),
            world.steadiness,
        )
        for t in range(T)
    ]
    count, of, rise = world.same_before
    first = (known.same + count) / (known.wrong + of)
    start, more = world.same_after
    same = [
        Counter(sigmoid(math.log(first / (1 - first)) + rise * t / T), world.same_steadiness[0])
        if t < g
        else Counter(start + more * (1 - start) * (t - g) / max(T - g, 1), world.same_steadiness[1])
        for t in range(T)
    ]
    again = [
        Counter(a * (world.repeat_error if step + 1 in (f, g) else 1.0), world.repeat_steadiness)
        for step in range(T)
    ]
    p = 1.0
    for seen in rollouts:
        left = seen.start + seen.kept
        for step in range(seen.start, left):
            p *= again[step].chance(True)
        if left == T:
            continue
        p *= again[left].chance(False) * hit[left].chance(seen.hit)
        if not seen.hit and not known.ends_right:
            p *= same[left].chance(seen.same)
    if known.ends_right and f <= T:
        p *= e * math.exp(-world.fading * (T - f))
    for place in known.detections:
        exact, late, early = world.detection
        p *= exact if f == place else late / T if f < place else early / T
    return p


def some_rollouts(T: int, count: int, seed: int) -> list[Seen]:
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        start = chance.randrange(T)
        hit = chance.random() < 0.4
        same = not hit and chance.random() < 0.5
        made.append(Seen(start, chance.randrange(T - start + 1), hit, same))
    return made


@pytest.mark.parametrize("ends_right", [False, True])
@pytest.mark.parametrize(("steps", "count"), [(1, 2), (2, 0), (3, 4), (4, 9)])
def test_the_belief_is_the_joint_distribution(steps: int, count: int, ends_right: bool) -> None:
    known = Known(steps, ends_right, right=2, wrong=3, same=1, detections=(min(2, steps),))
    rollouts = some_rollouts(steps, count, seed=steps)
    expected = joint(WORLD, known, rollouts)
    total = sum(expected.values())
    belief = Belief(WORLD, known)
    for seen in rollouts:
        belief.see(seen)
    shares = [expected[f] / total for f in sorted(expected)]
    assert belief.posterior() == pytest.approx(shares, rel=1e-6)
    nothing = sum(joint(WORLD, known, []).values())
    told = belief.log_evidence() - Belief(WORLD, known).log_evidence()
    assert told == pytest.approx(math.log(total / nothing), rel=1e-6, abs=1e-9)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    known = Known(6, False, right=3, wrong=2)
    rollouts = some_rollouts(6, 40, seed=5)
    one, all_ = Belief(WORLD, known), Belief(WORLD, known)
    for seen in rollouts:
        one.see(seen)
    all_.see_all(rollouts)
    assert all_.posterior() == pytest.approx(one.posterior(), abs=1e-12)
    one.see(Seen(2, 1, True))
    all_.see(Seen(2, 1, True))
    assert all_.posterior() == pytest.approx(one.posterior(), abs=1e-12)


def test_the_gain_is_what_the_outcomes_tell_on_average() -> None:
    """Every outcome of one rollout is seen in turn: entropy falls by the gain, on average."""
    T = 4
    assert T <= AHEAD
    known = Known(T, False, right=3, wrong=4, same=1)
    before = some_rollouts(T, 5, seed=3)

    def entropy(p: np.ndarray) -> float:
        return -sum(x * math.log2(x) for x in p if x > 0)

    belief = Belief(WORLD, known)
    belief.see_all(before)
    outlook = belief.outlook()
    now = joint(WORLD, known, before)
    for start in range(T):
        outcomes = [
            Seen(start, kept, hit, same)
            for kept in range(T - start)
            for hit, same in ((True, False), (False, True), (False, False))
        ]
        outcomes.append(Seen(start, T - start, False, True))
        left, chances, stays, ends = 0.0, 0.0, 0.0, [0.0, 0.0, 0.0]
        for seen in outcomes:
            then = joint(WORLD, known, [*before, seen])
            chance = sum(then.values()) / sum(now.values())
            belief_then = np.array(list(then.values())) / sum(then.values())
            left += chance * entropy(belief_then)
            chances += chance
            if seen.kept:
                stays += chance
            else:
                ends[0 if seen.hit else 1 if seen.same else 2] += chance
        assert chances == pytest.approx(1, abs=1e-9)
        # exact but for the rates of several steps and of the trace's answer, averaged one by one
        assert outlook.gain[start] == pytest.approx(entropy(outlook.place) - left, rel=0.1)
        assert outlook.again_t[start] == pytest.approx(stays)
        assert list(outlook.ends_th[start]) == pytest.approx(ends, rel=0.1)


def test_the_likeliest_rollout_goes_on_while_it_rather_repeats_and_ends_as_most_do() -> None:
    ends = [[0.2, 0.1, 0.1], [0.1, 0.0, 0.0], [0.1, 0.1, 0.3], [0.0, 0.3, 0.2]]
    again = [0.6, 0.9, 0.5, 0.5]
    outlook = Outlook(np.ones(4) / 4, np.zeros(4), np.array(ends), np.array(again))
    assert outlook.likeliest(0) == Seen(0, 2, False)
    assert outlook.likeliest(2) == Seen(2, 0, False)
    assert outlook.likeliest(3) == Seen(3, 0, False, True)
    always = replace(outlook, again_t=np.ones(4))
    assert always.likeliest(1) == Seen(1, 2, False, True)  # never past the last step


def test_a_copy_learns_alone() -> None:
    belief = Belief(World(), Known(4, False, right=2, wrong=3))
    belief.see(Seen(1, 0, True))
    before = belief.posterior()
    other = belief.copy()
    other.see(Seen(2, 1, False, True))
    assert (belief.posterior() == before).all()
    assert (belief.outlook().gain == Belief.outlook(belief.copy()).gain).all()
    assert not (other.posterior() == before).all()


def test_hits_put_the_error_later_and_the_same_wrong_answer_earlier() -> None:
    known = Known(5, False, right=4, wrong=4, same=0)
    late, early = Belief(World(), known), Belief(World(), known)
    for _ in range(4):
        late.see(Seen(2, 0, True))
        early.see(Seen(2, 0, False, True))
    assert late.posterior()[2:].sum() > 0.97
    assert early.posterior()[:2].sum() > 0.97


def test_a_step_that_others_write_again_is_rather_right() -> None:
    known = Known(4, False, right=4, wrong=4)
    belief = Belief(World(), known)
    for kept in (3, 3, 3, 3):
        belief.see(Seen(0, kept, False))
    place = belief.posterior()
    assert place[3] > 2 * place[:3].max()
