"""The oracles of the small worlds against brute force, written independently of them."""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
from fractions import Fraction

import pytest

from prmdata.grading import Grader
from prmdata.records import Trace
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.sampler.player import Player
from prmdata.traces.generate import Generation, generate
from prmdata.truth import truth_of
from prmdata.worlds import SMALL, WORLDS
from prmdata.worlds.constraint import EMPTY, grids, solvable
from prmdata.worlds.posterior import MACHINES, SLACK, TESTS, Belief
from prmdata.worlds.search import Interval

SEARCH, CONSTRAINT, POSTERIOR = (WORLDS[name] for name in ("search", "constraint", "posterior"))


@functools.cache
def worst(size: int) -> int:
    """Guesses that the best player needs at worst, by trying every first guess."""
    if size == 0:
        return 0
    return 1 + min(max(worst(g), worst(size - 1 - g)) for g in range(size))


def test_a_guess_is_right_where_no_other_does_better_at_worst() -> None:
    for size in range(1, 40):
        for number in range(1, size + 1):
            state = Interval(hidden=1, low=1, high=size, left=9)
            move = SEARCH.act(state, {"number": number})
            after = max(worst(number - 1), worst(size - number))
            assert move.right == (1 + after == worst(size)), (size, number)
    assert not SEARCH.act(Interval(3, 1, 5, 9), {"number": 6}).right
    assert SEARCH.act(Interval(3, 1, 5, 0), {"number": 3}).over


def completes(cells: str) -> bool:
    """Backtracking over cells, with the rules written out anew."""
    if EMPTY not in cells:
        return True
    place = cells.index(EMPTY)
    row, column = divmod(place, 4)
    for number in "1234":
        clash = any(
            cells[i] == number
            and (
                i // 4 == row
                or i % 4 == column
                or (i // 8 == row // 2 and i % 4 // 2 == column // 2)
            )
            for i in range(16)
        )
        if not clash and completes(cells[:place] + number + cells[place + 1 :]):
            return True
    return False


def lawful(cells: str) -> bool:
    return all(
        a == EMPTY or a != b
        or not (i // 4 == j // 4 or i % 4 == j % 4 or (i // 8 == j // 8 and i % 4 // 2 == j % 4 // 2))
        for (i, a), (j, b) in itertools.combinations(enumerate(cells), 2)
    )  # fmt: skip


def test_a_number_is_right_where_the_grid_can_still_be_completed() -> None:
    assert len(grids()) == 288
    chance = random.Random(3)
    told = []
    for index in range(40):
        state = CONSTRAINT.start(CONSTRAINT.problem(1, index))
        for _ in range(6):
            empty = [i for i, c in enumerate(state.cells) if c == EMPTY]
            place = chance.choice(empty)
            arguments = {
                "row": place // 4 + 1,
                "column": place % 4 + 1,
                "number": chance.randint(1, 4),
            }
            move = CONSTRAINT.act(state, arguments)
            expected = lawful(move.state.cells) and completes(move.state.cells)
            assert move.right == expected == solvable(move.state.cells)
            told.append(expected)
            state = move.state if expected else state
    assert 0.2 < sum(told) / len(told) < 0.9


def gains(state: Belief) -> list[Fraction]:
    """How much each test is expected to raise the likeliest cause, in exact numbers."""
    exact = [[Fraction(round(100 * rate), 100) for rate in rates] for rates in state.table]
    weights = [Fraction(p).limit_denominator(1000) for p in state.prior]
    for test in state.done:
        weights = [
            w * (rate if state.results[test] else 1 - rate)
            for w, rate in zip(weights, exact[test], strict=True)
        ]
    belief = [w / sum(weights) for w in weights]
    found = []
    for rates in exact:
        positive = sum(b * r for b, r in zip(belief, rates, strict=True))
        parts = []
        for chance, sign in ((positive, True), (1 - positive, False)):
            after = [
                b * (r if sign else 1 - r) / chance for b, r in zip(belief, rates, strict=True)
            ]
            parts.append(chance * max(after))
        found.append(sum(parts) - max(belief))
    return found


def test_a_test_is_right_where_none_is_expected_to_tell_more() -> None:
    rights = 0
    for index in range(60):
        state = POSTERIOR.start(POSTERIOR.problem(2, index))
        for depth in range(2):
            exact = gains(state)
            open_tests = [t for t in range(TESTS) if t not in state.done]
            best = max(exact[t] for t in open_tests)
            for test in open_tests:
                move = POSTERIOR.act(state, {"number": test + 1})
                margin = float(exact[test] - best) + SLACK
                if abs(margin) > 1e-9:
                    assert move.right == (margin > 0), (index, depth, test)
                    rights += move.right
            state = POSTERIOR.act(state, {"number": open_tests[0] + 1}).state
    assert rights
    assert MACHINES == 4


def made(name: str, slips: float, samples: int = 8, problems: int = 6) -> list[Trace]:
    async def run() -> list[Trace]:
        environments = Environments(Surroundings("worlds"))
        found = []
        for index in range(problems):
            question = WORLDS[name].problem(0, index)
            how = Generation(samples=samples, max_tokens=4000)
            found += await generate(question, Player(slips=slips), Grader(), how, environments)
        await environments.close()
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("name", SMALL)
def test_a_player_that_never_slips_is_right_throughout(name: str) -> None:
    for trace in made(name, slips=0.0, samples=2):
        truth = truth_of(trace, "worlds")
        assert truth is not None
        assert set(truth.verdicts) == {"right"}
        assert trace.correct


@pytest.mark.parametrize("name", SMALL)
def test_a_player_that_slips_is_told_where(name: str) -> None:
    traces = made(name, slips=0.4)
    truths = [truth_of(trace, "worlds") for trace in traces]
    wrong = [truth for truth in truths if truth and truth.first_wrong is not None]
    assert len(wrong) > len(traces) // 4
    assert all(truth.notes[truth.first_wrong] for truth in wrong)  # type: ignore[index]


@pytest.mark.parametrize("name", WORLDS)
def test_odd_arguments_harm_nobody(name: str) -> None:
    problem = WORLDS[name].problem(0, 0)
    state = WORLDS[name].start(problem)
    for odd in (
        {},
        {"number": None},
        {"number": "x"},
        {"number": 1e99},
        {"row": "1", "column": True, "number": -1},
        {"letter": "z", "expression": "().__class__"},
    ):
        assert not WORLDS[name].act(state, odd).right
    assert not WORLDS[name].answered(state, "9" * 5000)[0]


def test_the_environment_and_the_oracle_walk_the_same_states() -> None:
    """What the environment said is what playing the calls again gives."""
    from prmdata.worlds import played

    for name in SMALL:
        for trace in made(name, slips=0.3, samples=3, problems=3):
            calls = [call for step in trace.steps for call in step.calls]
            _, moves = played(trace.problem, calls)
            said = [m["content"] for step in trace.steps for m in step.messages[1:]]
            assert said == [move.text for move in moves if move is not None]
