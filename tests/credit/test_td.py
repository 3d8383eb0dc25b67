from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.credit.contract import NoSignal
from prmdata.records import Labels, Tally
from tests.credit.cases import credit, form, paid, valued


def test_the_credits_sum_to_the_last_value_less_the_first() -> None:
    (made,) = credit(form("td"), valued(0.5, 0.75, 0.0, 1.0, group=Tally(8, right=2, wrong=6)))
    assert made == (0.25, 0.25, -0.75, 1.0)
    assert sum(made) == pytest.approx(1.0 - 0.25)


def test_without_a_pass_rate_the_first_credit_is_unknown_and_a_start_can_be_given() -> None:
    assert credit(form("td"), valued(0.5, 1.0)) == [(None, 0.5)]
    wrong = replace(valued(0.0, name=1), correct=False)
    assert credit(form("td"), valued(0.75), wrong) == [(0.25,), (-0.5,)]
    assert credit(form("td", start=0.25), valued(0.5, 1.0)) == [(0.25, 0.5)]


def test_an_unknown_value_leaves_two_credits_unknown() -> None:
    assert credit(form("td", start=0), valued(0.5, None, 1.0)) == [(0.5, None, None)]


def test_labels_begin_at_one_because_no_step_is_wrong_yet() -> None:
    trace = replace(valued(0.5, 0.5), evidence=(), labels=Labels("posterior", 1, (0.875, 0.25)))
    assert credit(form("td"), trace) == [(-0.125, -0.625)]


def test_rewards_are_no_values() -> None:
    with pytest.raises(NoSignal, match="needs values"):
        credit(form("td", evidence="paid"), paid(1.0, 2.0))
