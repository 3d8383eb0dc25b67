from __future__ import annotations

import random
from statistics import mean, pstdev

import pytest

from prmdata.credit.contract import Fitted, signal_of
from prmdata.errors import UsageError
from tests.credit.cases import credit, form, paid


def test_the_whole_input_has_mean_zero_and_deviation_one() -> None:
    random.seed(4)
    rewards = [[random.gauss(3, 2) for _ in range(5)] for _ in range(6)]
    traces = [paid(*r, name=n) for n, r in enumerate(rewards)]
    how = form("batch")
    assert isinstance(how, Fitted)
    fitted = how.fitted(signal_of(t, None, "rewards") for t in traces)
    every = [r for one in rewards for r in one]
    expected = [(r - mean(every)) / pstdev(every) for r in every]
    made = [c for t in traces for c in credit(fitted, t)[0]]
    assert made == pytest.approx(expected)


def test_constant_rewards_earn_nothing() -> None:
    traces = [paid(0.3, 0.3, name=n) for n in range(3)]
    how = form("batch", turns=0.5)
    assert isinstance(how, Fitted)
    fitted = how.fitted(signal_of(t, None, "rewards") for t in traces)
    assert credit(fitted, *traces) == [pytest.approx((0.0, 0.0))] * 3


def test_it_mixes_with_the_turns() -> None:
    traces = [paid(0.0, name=0), paid(4.0, name=1)]
    given = form("batch", turns=0.25, mean=1.0, deviation=2.0)
    assert credit(given, *traces) == [(0.75 * -0.5 - 0.25,), (0.75 * 1.5 + 0.25,)]


def test_unfitted_it_is_refused() -> None:
    with pytest.raises(UsageError, match="not known"):
        credit(form("batch"), paid(1.0))
