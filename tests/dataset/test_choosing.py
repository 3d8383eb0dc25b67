"""Choices against brute force and counts by hand."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from statistics import pvariance

import pytest

from prmdata.dataset.choosing import Known, best, information, known, near, paired
from prmdata.records import Evidence, Tally, Trace
from tests.exports.cases import RIGHT


def group(*outcomes: float | bool | None) -> list[Trace]:
    return [
        replace(
            RIGHT,
            id=f"p/{n}",
            correct=None if outcome is None else outcome > 0.5,
            score=outcome if isinstance(outcome, float) else None,
        )
        for n, outcome in enumerate(outcomes)
    ]


def test_counts_are_the_tallys_or_those_at_hand_and_discounted() -> None:
    traces = group(True, False, None)
    assert known(traces) == Known("p", 1, 1)
    tallied = [replace(traces[0], group=Tally(8, right=6, wrong=2))]
    assert known(tallied, 0.5) == Known("p", 3.0, 1.0)


def test_the_nearest_are_taken_and_a_draw_depends_on_its_problem_alone() -> None:
    problems = [Known(f"q{n}", n * 100, (20 - n) * 100) for n in range(21)]
    chosen = near(problems, 0.5, 5, seed=0)
    assert {int(name[1:]) for name in chosen} == {8, 9, 10, 11, 12}
    assert near(problems[::-1], 0.5, 5, seed=0) == chosen
    unsure = [Known(f"u{n}", 0, 0) for n in range(200)]
    rates = [name for name in near([*unsure, *problems], 0.95, 20, seed=0) if name[0] == "u"]
    assert len(rates) > 3  # what was never seen is tried


def test_pairs_are_of_one_topic_and_never_sure() -> None:
    problems = [
        Known("a", 1, 7, "sums"),
        Known("b", 7, 1, "sums"),
        Known("c", 0, 8, "sums"),
        Known("d", 1, 7, "words"),
        Known("e", 8, 0, "words"),
        Known("f", 6, 2, "sums"),
        Known("g", 2, 6, "sums"),
    ]
    assert paired(problems, 10) == [("a", "b"), ("g", "f")]
    assert paired(problems, 3) == [("a", "b")]


@pytest.mark.parametrize("seed", range(10))
def test_the_subset_has_the_largest_variance_there_is(seed: int) -> None:
    random.seed(seed)
    rewards = [round(random.random(), 2) for _ in range(8)]
    for m in (1, 3, 4):
        chosen = [trace.score or 0.0 for trace in best(group(*rewards), m, "variance")]
        most = max(pvariance(some) for some in itertools.combinations(rewards, m))
        assert pvariance(chosen) == pytest.approx(most)


def test_of_right_and_wrong_it_is_half_and_half_where_it_can_be() -> None:
    chosen = best(group(*[True] * 6, *[False] * 3, None), 4, "variance")
    assert [trace.correct for trace in chosen].count(True) == 2
    chosen = best(group(*[True] * 6, False), 4, "variance")
    assert [trace.correct for trace in chosen].count(False) == 1
    assert best(group(True, None), 4, "variance") == group(True, None)


def test_information_is_a_mix_of_sure_steps() -> None:
    def trace(*values: float) -> Trace:
        steps = RIGHT.steps[:1] * len(values)
        bare = replace(RIGHT, steps=steps, evidence=())
        return bare.with_evidence(Evidence("mc", "rollouts", values=values))

    assert information(trace(1.0, 0.0)) > information(trace(1.0, 1.0))
    assert information(trace(1.0, 0.0)) > information(trace(0.25, 0.0))
    assert information(trace(1.0, 1.0, 0.0, 0.0)) > information(trace(1.0, 1.0, 1.0, 0.0))
    assert information(replace(RIGHT, evidence=())) == 0.0
