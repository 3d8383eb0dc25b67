"""The simulated worlds: their truth, and that a world is what its knobs say."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "stress_worlds"


@pytest.fixture(scope="module")
def stress() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module("stress")
    finally:
        sys.path.remove(str(RECIPE))


def world(stress: ModuleType, name: str) -> object:
    return next(w for w in stress.WORLDS if w.name == name)


@pytest.mark.slow
def test_a_rollout_from_a_wrong_prefix_hits_as_often_as_the_world_says(stress: ModuleType) -> None:
    for name, low, high in (("neutral", 0.0, 0.06), ("choice-of-4", 0.18, 0.34)):
        chosen = world(stress, name)
        policy = stress.WorldPolicy(chosen)
        hits = tried = 0
        for group in stress.drawn(chosen, 20, 3):
            for trace in group:
                place = stress.first_error(trace)
                if trace.correct or place is None or place + 1 >= len(trace.steps):
                    continue
                prompt = f"{trace.problem.question}\n{trace.prefix(place + 1)}"
                ends = [policy.one(prompt, seed).text for seed in range(10)]
                hits += sum(end.endswith("The answer is 0.") for end in ends)
                tried += len(ends)
        assert low <= hits / tried <= high, name


def test_prefixes_are_continued_from_their_text_alone(stress: ModuleType) -> None:
    policy = stress.WorldPolicy(world(stress, "neutral"))
    whole = policy.one("Problem x\n", 5).text
    assert policy.one("Problem x\n", 5).text == whole
    assert policy.one(f"Problem x\n{whole.splitlines(keepends=True)[0]}", 5).text != whole


@pytest.mark.slow
def test_the_fatal_error_is_the_one_that_nothing_puts_right(stress: ModuleType) -> None:
    chosen = world(stress, "self-correcting")
    for group in stress.drawn(chosen, 10, 1):
        for trace in group:
            sides = [step.text.split()[1] for step in trace.steps[:-1]]
            fatal = stress.fatal_error(trace)
            assert (fatal is None) == (sides[-1] != "wrong")
            if fatal is not None:
                assert set(sides[fatal:]) == {"wrong"}
                assert fatal == 0 or sides[fatal - 1] != "wrong"


@pytest.mark.slow
def test_posterior_is_exact_where_rollouts_tell_and_unsure_where_they_do_not(
    stress: ModuleType,
) -> None:
    lines = list(stress.table([world(stress, "neutral"), world(stress, "hard")], 32, 2))
    neutral, hard = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:])
    assert float(neutral[2]) > 0.7
    assert float(hard[3]) < 0.6
