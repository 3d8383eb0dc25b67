"""Where credit is taken from, and what the outcome adds."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, pstdev

import pytest

from prmdata.credit import FORMS
from prmdata.credit.contract import NoSignal, outcome_advantages, signal_of
from prmdata.records import Evidence, Labels, Tally, Trace
from tests.credit.cases import credit, form, paid, valued


@pytest.mark.parametrize("name", [name for name in FORMS if name != "batch"])
def test_every_form_gives_each_step_a_number_or_none(name: str) -> None:
    group = [valued(0.5, None, 1.0, name=0), valued(0.25, name=1)]
    made = credit(form(name), *group)
    assert [len(series) for series in made] == [3, 1]
    assert all(c is None or isinstance(c, float) for series in made for c in series)


def both() -> Trace:
    return paid(1.0, 2.0).with_evidence(Evidence("mc", "rollouts", values=(0.5, 0.25)))


def test_rewards_are_read_before_values_and_a_name_before_both() -> None:
    trace = replace(both(), labels=Labels("x", 0, (0.0, 0.0)))
    assert signal_of(trace, None, "rewards").of == "paid"
    assert signal_of(trace, None, "values").of == "mc"
    assert signal_of(trace, "mc", "rewards").series == (0.5, 0.25)
    assert signal_of(trace, "labels", "rewards").series == (0.0, 0.0)
    assert signal_of(replace(trace, evidence=()), None, "rewards").of == "labels"


def test_the_values_behind_the_labels_come_first() -> None:
    later = both().with_evidence(Evidence("prm", "scores", values=(0.1, 0.1)))
    trace = replace(later, labels=Labels("threshold", 1, (1.0, 0.0), settings={"evidence": "mc"}))
    assert signal_of(trace, None, "values").of == "mc"


def test_truth_and_earlier_credit_are_never_read_unasked() -> None:
    trace = both().with_evidence(Evidence("credit", "scores", rewards=(9.0, 9.0)))
    trace = trace.with_evidence(Evidence("truth", "truth", values=(1.0, 1.0)))
    assert signal_of(trace, None, "rewards").of == "paid"
    assert signal_of(trace, None, "values").of == "mc"
    assert signal_of(trace, "credit", "rewards").series == (9.0, 9.0)


@pytest.mark.parametrize(
    ("trace", "name", "why"),
    [
        (replace(both(), steps=(), evidence=()), None, "no steps"),
        (replace(both(), evidence=()), None, "neither rewards nor values"),
        (both(), "prm", "no evidence 'prm'"),
        (both(), "labels", "labels have no values"),
        (
            replace(
                both(), evidence=(Evidence("mc", "rollouts", (1.0, 0.0), stopping="first-hit"),)
            ),
            None,
            "early stopping",
        ),
    ],
)
def test_what_has_no_signal_says_why(trace: Trace, name: str | None, why: str) -> None:
    with pytest.raises(NoSignal, match=why):
        signal_of(trace, name, "rewards")


def test_the_outcome_is_grpos_advantage_within_the_group() -> None:
    right = [True, False, False, True, True]
    group = [paid(0.0, name=n, correct=c) for n, c in enumerate(right)]
    expected = [(c - mean(map(float, right))) / pstdev(map(float, right)) for c in right]
    assert outcome_advantages(group) == pytest.approx(expected)


def test_the_mean_is_that_of_what_was_sampled_and_not_of_what_was_kept() -> None:
    tally = Tally(4, right=1, wrong=3)
    (advantage,) = outcome_advantages([paid(0.0, group=tally)])
    assert advantage == pytest.approx(0.75 / (0.25 * 0.75) ** 0.5)


def test_a_group_of_one_or_of_equals_has_no_advantage_and_an_ungraded_trace_none_known() -> None:
    assert outcome_advantages([paid(0.0)]) == [0.0]
    assert outcome_advantages([paid(0.0, name=0), paid(0.0, name=1, correct=None)]) == [0.0, None]
