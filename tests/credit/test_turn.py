from __future__ import annotations

import random
from statistics import mean, pstdev

import pytest

from tests.credit.cases import credit, form, paid


def test_turns_are_normalised_by_their_number() -> None:
    random.seed(3)
    rewards = [[random.gauss(0, 2) for _ in range(length)] for length in (2, 3, 3, 4)]
    made = credit(form("turn"), *(paid(*r, name=n) for n, r in enumerate(rewards)))
    for turn in range(3):
        column = [r[turn] for r in rewards if len(r) > turn]
        expected = [(x - mean(column)) / pstdev(column) for x in column]
        assert [m[turn] for m in made if len(m) > turn] == pytest.approx(expected)
    assert made[3][3] == 0.0


def test_one_bad_turn_lowers_itself_and_not_the_other_turns() -> None:
    made = credit(
        form("turn", scale=False), *(paid(1.0, 0.0 if n else -4.0, name=n) for n in range(4))
    )
    assert made == [(0.0, -3.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]
