"""Each form against its definition, written out here in another way."""

from __future__ import annotations

import math
import random

import pytest

from tests.credit.cases import credit, form, paid


def draws(count: int) -> list[list[float]]:
    random.seed(5)
    return [[random.uniform(-3, 3) for _ in range(random.randint(1, 9))] for _ in range(count)]


@pytest.mark.parametrize("rewards", draws(20))
def test_min_is_the_least_of_what_follows(rewards: list[float]) -> None:
    (made,) = credit(form("min"), paid(*rewards))
    assert list(made) == [min(rewards[t:]) for t in range(len(rewards))]


def test_of_constant_rewards_the_least_is_that_constant() -> None:
    assert credit(form("min"), paid(0.5, 0.5, 0.5)) == [(0.5, 0.5, 0.5)]


@pytest.mark.parametrize("rewards", draws(20))
def test_a_further_step_with_a_high_reward_pays_in_a_sum_and_never_in_a_min(
    rewards: list[float],
) -> None:
    (least,), (total,) = credit(form("min"), paid(*rewards)), credit(form("sum"), paid(*rewards))
    for place in range(len(rewards) + 1):
        longer = [*rewards[:place], 2.0, *rewards[place:]]
        (least_then,) = credit(form("min"), paid(*longer))
        (total_then,) = credit(form("sum"), paid(*longer))
        assert least_then[0] is not None
        assert least[0] is not None
        assert least_then[0] <= least[0]
        assert total_then[0] == pytest.approx((total[0] or 0.0) + 2.0)


@pytest.mark.parametrize("rewards", draws(20))
def test_the_soft_form_is_pures_formula_and_tends_to_the_least(rewards: list[float]) -> None:
    tau = 0.1
    weights = [math.exp(-r / tau) for r in rewards]
    soft = [r * w / sum(weights) for r, w in zip(rewards, weights, strict=True)]
    (made,) = credit(form("min", temperature=tau), paid(*rewards))
    assert list(made) == pytest.approx([sum(soft[t:]) for t in range(len(soft))])
    (sharp,) = credit(form("min", temperature=1e-4), paid(*rewards))
    assert sharp[0] == pytest.approx(min(rewards))


def test_a_temperature_near_nothing_does_not_overflow() -> None:
    (made,) = credit(form("min", temperature=1e-9), paid(-1000.0, 1000.0))
    assert made == (-1000.0, 0.0)


def test_an_unknown_reward_is_unknown_up_to_it_unless_it_is_to_count_as_zero() -> None:
    trace = paid(-1.0, None, 2.0)
    assert credit(form("min"), trace) == [(None, None, 2.0)]
    assert credit(form("min", missing="zero"), trace) == [(-1.0, 0.0, 2.0)]
    assert credit(form("sum"), trace) == [(None, None, 2.0)]
    assert credit(form("sum", missing="zero"), trace) == [(1.0, 2.0, 2.0)]
    assert credit(form("min", temperature=0.1), trace) == [(None, None, None)]
