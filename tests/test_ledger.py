"""The world `ledger`: its oracle against the one of abacus, and what hostile calls do to it."""

from __future__ import annotations

import random
import re

import pytest

from prmdata.abacus import Story, judge, story
from prmdata.abacus.scene import calculate
from prmdata.problems import worlds as source
from prmdata.records import Problem
from prmdata.worlds import WORLDS
from prmdata.worlds.arithmetic import LONGEST, Expression, read
from prmdata.worlds.contract import made
from prmdata.worlds.ledger import LEVELS, Book, hide

LEDGER = WORLDS["ledger"]


def posed(index: int) -> tuple[Story, Problem]:
    told = story(7, index, LEVELS[index % 3])
    question, numbers = hide(told, random.Random(index))
    return told, made("ledger", 7, index, question, str(told.answer), numbers)


def reckoned(state: Book, expression: str) -> tuple[Book, bool, str]:
    move = LEDGER.act(state, {"expression": expression}, "calculator")
    return move.state, move.right, move.text


def looked_up(state: Book, letter: str) -> tuple[Book, bool, str]:
    move = LEDGER.act(state, {"letter": letter}, "lookup")
    return move.state, move.right, move.text


def test_the_question_does_not_say_what_the_ledger_holds() -> None:
    wasted = 0
    for index in range(300):
        told, problem = posed(index)
        hidden = problem.context["hidden"]
        for letter, value in hidden.items():
            assert not re.search(rf"(?<!\d){value}(?!\d)", problem.question)
            assert re.search(rf"\b{letter}\b", problem.question)
        restored = problem.question.partition(" The ledger has")[0]
        for letter, value in hidden.items():
            restored = re.sub(rf"\b{letter}\b", str(value), restored)
        assert restored == told.question
        wasted += len(hidden) > problem.context["lookups"]
    assert 20 < wasted < 100


def test_the_solution_is_right_throughout_and_needs_every_look_up() -> None:
    for index in range(300):
        told, problem = posed(index)
        state = LEDGER.start(problem)
        for place, node in enumerate(told.nodes):
            for letter in state.entries[place].letters - state.seen:
                state, right, said = looked_up(state, letter)
                assert right
                assert said == str(problem.context["hidden"][letter])
            assert not LEDGER.answered(state, f"The answer is {told.answer}.")[0]
            state, right, said = reckoned(state, f"{node.a} {node.op} {node.b}")
            assert right
            assert said == str(node.c)
        assert state.left == 0
        assert LEDGER.answered(state, f"The answer is {told.answer}.") == (True, 1.0)
        assert LEDGER.answered(state, f"The answer is {told.answer + 1}.") == (False, 0.0)


def test_calculations_are_judged_as_the_oracle_of_abacus_judges_equations() -> None:
    chance = random.Random(5)
    verdicts = []
    for index in range(300):
        told, problem = posed(index)
        state = LEDGER.start(problem)
        for letter in sorted({one for entry in state.entries for one in entry.letters}):
            state = looked_up(state, letter)[0]
        calls = [(n.op, n.a, n.b) for n in told.nodes]
        other = (chance.choice("+-*"), chance.choice(calls)[1], chance.choice(calls)[2])
        calls = [*chance.choices(calls, k=len(calls)), other]
        chance.shuffle(calls)
        lines = [f"Step {i}: {a} {op} {b} = {calculate(op, a, b)}." for i, (op, a, b) in
                 enumerate(calls, 1)]  # fmt: skip
        expected = judge(told, lines, "numeric").steps
        for (op, a, b), truth in zip(calls, expected, strict=True):
            if truth.error == "form":  # a negative result: no equation of abacus
                break
            state, right, _ = reckoned(state, f"{a} {op} {b}")
            assert right == truth.right, (index, calls, a, op, b)
            verdicts.append(right)
    assert 0.2 < sum(verdicts) / len(verdicts) < 0.9


def test_a_wasted_look_up_costs_one_that_is_needed() -> None:
    tried = 0
    for index in range(200):
        _, problem = posed(index)
        state = LEDGER.start(problem)
        needed = {letter for entry in state.entries for letter in entry.letters}
        for idle in problem.context["hidden"].keys() - needed:
            after, right, _ = looked_up(state, idle)
            assert not right
            for letter in sorted(needed):
                after, right, said = looked_up(after, letter)
            assert not right
            assert said == "No look-ups are left."
            assert not needed <= after.seen
            tried += 1
        if needed and state.left > 1:
            once = looked_up(state, min(needed))[0]
            assert not looked_up(once, min(needed))[1]
            tried += 1
    assert tried > 50


def test_a_number_that_was_not_looked_up_is_not_known() -> None:
    """Even where it is guessed."""
    told, problem = next(p for p in map(posed, range(99)) if p[1].context["hidden"])
    state = LEDGER.start(problem)
    place = next(i for i, entry in enumerate(state.entries) if entry.letters)
    for node in told.nodes[:place]:
        state, right, _ = reckoned(state, f"{node.a} {node.op} {node.b}")
        assert right
    node = told.nodes[place]
    assert not reckoned(state, f"{node.a} {node.op} {node.b}")[1]


def test_several_steps_in_one_expression_are_judged_one_by_one() -> None:
    told, problem = posed(next(i for i in range(99) if not posed(i)[1].context["hidden"]))
    first, second = told.nodes[:2]
    state = LEDGER.start(problem)
    after, right, said = reckoned(state, f"{first.a} {first.op} {first.b}")
    assert (right, said) == (True, str(first.c))
    chained = f"({first.a} {first.op} {first.b}) {second.op} {second.b}"
    if second.a == first.c:
        assert reckoned(state, chained)[1:] == (True, str(second.c))
    assert reckoned(state, "17")[1] is False
    assert reckoned(after, f"{first.a} {first.op} {first.b}")[1] is False


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "1 +", "2 ** 9", "9" * 40, "__import__('os')", "[1] * 99", "1 / 0", "1 if 2 else 3",
        "(" * 150 + "1" + ")" * 150, "1+" * LONGEST + "1", "True + 1", "1.5 + 2", "\0", "1 // 2",
        " * ".join(["999999999"] * 12),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_said(text: str) -> None:
    found = read(text)
    assert isinstance(found, str)
    _, right, said = reckoned(LEDGER.start(posed(0)[1]), text)
    assert not right
    assert said.startswith("error: ")


def test_exact_values() -> None:
    for text in ("7 * 12", "(7 + 5) / 4", "1 / 3 * 3", "2 - 3 * (4 - 5)"):
        found = read(text)
        assert isinstance(found, Expression)
        assert abs(float(found.value) - eval(text)) < 1e-12


def test_worlds_without_a_name_are_the_three_that_the_player_knows() -> None:
    assert {p.meta["world"] for p in source.read("9", iter)} == {
        "constraint",
        "posterior",
        "search",
    }
    assert {p.meta["world"] for p in source.read("ledger:5", iter)} == {"ledger"}
