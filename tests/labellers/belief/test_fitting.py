"""Figures of a world are found again in rollouts that it made."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from prmdata.labellers.belief.fitting import Pilot, fit, likelihood, weighed
from prmdata.labellers.belief.model import Known, Seen
from prmdata.labellers.belief.prior import RECOVERY, REPEAT, World

MAKER = World(
    place=(0.4, 0.3, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02),
    recovery=(0.9, 0.1, 0, 0, 0, 0, 0),
    repeat=(0, 0, 0, 0, 1, 0, 0),
    repeat_error=0.5,
    repeat_steadiness=50.0,
    steadiness=50.0,
    drift=0.0,
    spread=0.1,
    second=0.05,
)


def made_by(world: World, count: int, seed: int) -> list[Pilot]:
    """Traces of eight steps with four rollouts from each prefix, drawn as the model says."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        T = 8
        f = 1 + chance.choices(range(8), world.place)[0]
        recovery = chance.choices(list(RECOVERY), world.recovery)[0]
        repeat = chance.choices(list(REPEAT), world.repeat)[0]
        rollouts = []
        for start in range(1, T):
            for _ in range(4):
                left = start
                while left < T and chance.random() < repeat * (
                    world.repeat_error if left + 1 == f else 1
                ):
                    left += 1
                hit = chance.random() < (0.5 if left < f else recovery)
                same = not hit and chance.random() < (0.08 if left < f else 0.6)
                rollouts.append(Seen(start, left - start, hit, same))
        tries = [chance.random() < 0.5 for _ in range(20)]
        known = Known(T, False, right=sum(tries), wrong=20 - sum(tries), detections=(f,))
        found.append(Pilot(known, tuple(rollouts)))
    return found


@pytest.fixture(scope="module")
def pilots() -> list[Pilot]:
    return made_by(MAKER, 120, seed=1)


def test_what_made_the_pilot_is_found_again(pilots: list[Pilot]) -> None:
    world = fit(pilots)
    assert np.array(world.place)[:2].sum() == pytest.approx(0.7, abs=0.12)
    assert sum(world.recovery[:2]) > 0.85
    assert REPEAT[int(np.argmax(world.repeat))] in (0.45, 0.65, 0.8)
    assert world.repeat_error == pytest.approx(0.5, abs=0.2)
    assert world.detection[0] > 0.9
    fresh = made_by(MAKER, 60, seed=2)
    assert likelihood(world, fresh) > likelihood(World(), fresh) + 60


def test_weights_climb(pilots: list[Pilot]) -> None:
    """Expectation and maximisation never lowers the likelihood but for the prior's pull."""
    world, last = World(), likelihood(World(), pilots)
    for _ in range(3):
        world = weighed(world, pilots)
        now = likelihood(world, pilots)
        assert now > last - 0.5
        last = now
    assert last > likelihood(World(), pilots) + 20


def test_no_pilot_leaves_the_defaults() -> None:
    plain = fit([])
    assert replace(plain, place=World().place) == replace(
        World(), recovery=plain.recovery, repeat=plain.repeat, detection=plain.detection
    )
    assert plain.recovery == pytest.approx([w / sum(World().recovery) for w in World().recovery])
