"""Steps from the same state are compared, and nothing else is said of them."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import replace
from statistics import fmean

import pytest

from prmdata.grading import Grader
from prmdata.labellers.anchor import Anchor
from prmdata.records import Problem, Step, Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings

PROBLEM = Problem("p", "?", "1")


def trace(number: int, states: list[str], right: bool) -> Trace:
    """A trace that shows these states, one after each of its steps."""
    steps = tuple(
        Step(
            f"{number}.{i}", "tool_call", messages=({"role": "assistant", "content": ""},), state=s
        )
        for i, s in enumerate(states)
    )
    return Trace(f"p/{number}", PROBLEM, steps, correct=right, finish="stop")


def valued(group: list[Trace], **settings: object) -> list[Trace]:
    rollouts = Rollouts(None, Grader(), RolloutSettings())  # type: ignore[arg-type]
    return asyncio.run(Anchor(**settings).apply(group, rollouts))  # type: ignore[arg-type]


def rewards(one: Trace) -> tuple[float | None, ...]:
    return one.evidence[-1].rewards


def test_the_trace_that_succeeds_from_a_shared_state_has_the_advantage() -> None:
    made = valued(
        [trace(0, ["a", "b"], True), trace(1, ["a", "c"], False)], episode=False, scaled=False
    )
    assert rewards(made[0])[1] == pytest.approx(0.5)
    assert rewards(made[1])[1] == pytest.approx(-0.5)
    assert made[0].evidence[-1].values == (0.5, 1.0)
    assert made[0].evidence[-1].notes == ("2 steps begin here", "2 steps begin here")


def test_states_that_nobody_shares_say_nothing() -> None:
    group = [trace(i, [f"{i}a", f"{i}b", f"{i}c"], i == 0) for i in range(3)]
    for one in valued(group, episode=False):
        assert rewards(one)[1:] == (0.0, 0.0)
    assert [one.evidence[-1].settings["compared"] for one in valued(group)] == [1, 1, 1]


def test_it_is_what_a_plain_loop_gives_on_random_traces() -> None:
    chance = random.Random(4)
    for _ in range(30):
        group = [
            trace(
                i,
                [chance.choice("abc") for _ in range(chance.randint(1, 5))],
                chance.random() < 0.5,
            )
            for i in range(6)
        ]
        visits = defaultdict(list)
        for one in group:
            states = ["", *(step.state for step in one.steps[:-1])]
            for t, state in enumerate(states):
                visits[state].append((one.id, t, 0.9 ** (len(states) - 1 - t) * bool(one.correct)))
        for one in valued(group, episode=False, scaled=False, discount=0.9):
            for t, state in enumerate(["", *(step.state for step in one.steps[:-1])]):
                own = next(r for name, place, r in visits[state] if (name, place) == (one.id, t))
                mean = fmean(r for _, _, r in visits[state])
                expected = own - mean if len(visits[state]) > 1 else 0.0
                assert rewards(one)[t] == pytest.approx(expected)


def test_alike_states_count_as_one_where_asked() -> None:
    group = [
        trace(0, ["the door is open now", "x"], True),
        trace(1, ["the door is open  now", "y"], False),
    ]
    assert rewards(valued(group, episode=False)[0])[1] == 0
    assert rewards(valued(group, episode=False, alike=0.9)[0])[1] != 0


def test_a_trace_without_an_outcome_has_values_alone() -> None:
    cut = replace(trace(2, ["a"], True), correct=None)
    made = valued([trace(0, ["a"], True), trace(1, ["a"], False), cut])
    assert made[2].evidence[-1].rewards == (None,)
    assert made[2].evidence[-1].values == (None,)
