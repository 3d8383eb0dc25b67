"""Deciding early whether a problem is kept: against full sampling, and against counting all ways."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace

import pytest

from prmdata.errors import UsageError
from prmdata.grading import Grader
from prmdata.problems import problems
from prmdata.records import Trace
from prmdata.traces.deciding import chance_of_keeping, decided, keeps, waves
from prmdata.traces.generate import Generation, generate, kept
from tests.exports.cases import RIGHT
from tests.policy import Policy

BAND = (0.1, 0.9)


def draw(outcomes: list[bool]) -> list[Trace]:
    return [replace(RIGHT, correct=outcome) for outcome in outcomes]


@pytest.mark.parametrize(("right", "wrong", "missing"), [(0, 0, 6), (2, 1, 4), (3, 0, 3)])
def test_the_chance_is_that_of_all_orders_drawn_one_by_one(
    right: int, wrong: int, missing: int
) -> None:
    n, total = right + wrong + missing, 0.0
    for ways in itertools.product([True, False], repeat=missing):
        r, w, chance = right, wrong, 1.0
        for hit in ways:  # Laplace's rule of succession
            chance *= (r + 1 if hit else w + 1) / (r + w + 2)
            r, w = r + hit, w + (not hit)
        total += chance * keeps(r, w, n, BAND)
    assert chance_of_keeping(right, wrong, missing, n, BAND) == pytest.approx(total)


@pytest.mark.parametrize("n", [1, 2, 8, 15, 32, 100])
def test_waves_are_all_samples_once(n: int) -> None:
    places = [start + i for start, size in waves(n) for i in range(size)]
    assert places == list(range(n))


@pytest.mark.parametrize(("n", "most"), [(16, 0.6), (32, 0.55)])
def test_decisions_are_those_of_full_sampling_with_fewer_samples(n: int, most: float) -> None:
    random.seed(2)
    same = used = 0
    for _ in range(1000):
        rate = random.random()
        outcomes = [random.random() < rate for _ in range(n)]
        taken: list[Trace] = []
        for start, size in waves(n):
            taken += draw(outcomes[start : start + size])
            if decided(taken, n, BAND, 0.95):
                break
        how = Generation(samples=n, keep=BAND, decide=0.95)
        full = keeps(sum(outcomes), n - sum(outcomes), n, BAND)
        same += kept(taken, how) == full
        used += len(taken)
    assert same >= 970
    assert used <= most * 1000 * n


def test_the_samples_are_the_first_of_those_without_it() -> None:
    grader, policy = Grader(), Policy({0: 60})
    how = Generation(samples=16, keep=BAND)

    async def both() -> list[tuple[list[Trace], list[Trace]]]:
        return [
            (
                await generate(problem, policy, grader, how),
                await generate(problem, policy, grader, replace(how, decide=0.95)),
            )
            for problem in problems("abacus:12")
        ]

    saved = 0
    for full, early in asyncio.run(both()):
        assert [t.text for t in early] == [t.text for t in full[: len(early)]]
        assert [t.id for t in early] == [t.id for t in full[: len(early)]]
        assert early[0].group is not None
        assert early[0].group.n == len(early)
        saved += len(full) - len(early)
    assert saved > 40


def test_traces_without_an_outcome_may_be_either_so_that_enough_of_them_keep_it() -> None:
    cut = [replace(trace, correct=None) for trace in draw([True] * 2)]
    assert decided(cut, 16, BAND, 0.95)  # 2 of 16 may be right, or wrong, whatever comes
    assert chance_of_keeping(0, 0, 14, 16, BAND) == pytest.approx(1.0)
    assert keeps(0, 14, 16, BAND)
    assert not keeps(0, 16, 16, BAND)
    assert not decided(cut, 16, (0.2, 0.8), 0.95)


def test_it_needs_a_band_and_a_certainty() -> None:
    with pytest.raises(UsageError, match="--keep"):
        Generation(decide=0.95)
    with pytest.raises(UsageError, match=r"above 0\.5"):
        Generation(keep=BAND, decide=0.3)
