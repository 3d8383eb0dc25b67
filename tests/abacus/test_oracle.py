from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prmdata.abacus import Story, judge, solution, story
from prmdata.abacus.oracle import CORRECTION
from prmdata.abacus.scene import Node


def told(index: int, level: int = 3) -> Story:
    return story(11, index, level)


# A second oracle, written from the definition and with no cleverness: an attempt is right up to
# the longest prefix for which some assignment of lines to steps exists, each step used once and
# after all that it needs.


def sayings(node: Node) -> set[str]:
    sums = {f"{node.a} {node.op} {node.b} = {node.c}"}
    if node.op in ("+", "*"):
        sums.add(f"{node.b} {node.op} {node.a} = {node.c}")
    return {say.replace("@", each) for say in node.says for each in sums}


def explained(told: Story, lines: Sequence[str]) -> int:
    """How many lines from the beginning some assignment explains, by trying all."""

    def best(at: int, done: frozenset[int]) -> int:
        if at == len(lines):
            return at
        line = lines[at]
        if line == f"The answer is {told.answer}." and len(done) == len(told.nodes):
            return at + 1
        head = f"Step {at + 1}: "
        if not line.startswith(head):
            return at
        text = line[len(head) :]
        text = text[len(CORRECTION) :] if text.startswith(CORRECTION) else text
        reached = at
        for index, node in enumerate(told.nodes):
            if index not in done and set(node.needs) <= done and text in sayings(node):
                reached = max(reached, best(at + 1, done | {index}))
        return reached

    return best(0, frozenset())


def tampered(told: Story, chance: random.Random) -> list[str]:
    """A solution with its steps moved, dropped, doubled or changed, or none of that."""
    said = [line.split(": ", 1)[1] for line in solution(told, chance)[:-1]]
    for _ in range(chance.choice((0, 1, 1, 2))):
        at, other = chance.randrange(len(said)), chance.randrange(len(said))
        kind = chance.choice(("move", "swap", "drop", "double", "digit", "correct"))
        if kind == "move":
            said.insert(other, said.pop(at))
        elif kind == "swap":
            said[at], said[other] = said[other], said[at]
        elif kind == "drop" and len(said) > 1:
            said.pop(at)
        elif kind == "double":
            said.insert(other, said[at])
        elif kind == "digit":
            places = [i for i, letter in enumerate(said[at]) if letter.isdigit()]
            i = chance.choice(places)
            said[at] = said[at][:i] + chance.choice("123456789") + said[at][i + 1 :]
        else:
            said[at] = CORRECTION + said[at]
    answer = told.answer if chance.random() < 0.8 else told.answer + 1
    return [*(f"Step {i}: {s}" for i, s in enumerate(said, 1)), f"The answer is {answer}."]


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_first_errors_are_those_of_the_brute_force_checker(level: int) -> None:
    found = set()
    for index in range(500):
        one = told(index, level)
        lines = tampered(one, random.Random(index))
        right = explained(one, lines)
        expected = right if right < len(lines) else None
        assert judge(one, lines).first_error == expected, (one.question, lines)
        found.add(expected)
    assert None in found
    assert len(found) > level + 2


@pytest.mark.parametrize("mode", ["strict", "numeric"])
def test_solutions_are_right_in_every_way_to_say_them(mode: str) -> None:
    for index in range(300):
        one = told(index, 1 + index % 4)
        judged = judge(one, solution(one, random.Random(index)), mode)  # type: ignore[arg-type]
        assert judged.first_error is None
        assert judged.answer_right


def test_any_order_that_the_story_allows_is_right() -> None:
    reordered = 0
    for index in range(200):
        one = told(index, 4)
        chance = random.Random(index)
        order: list[int] = []
        while len(order) < len(one.nodes):
            ready = [
                i
                for i, node in enumerate(one.nodes)
                if i not in order and set(node.needs) <= set(order)
            ]
            order.append(chance.choice(ready))
        reordered += order != sorted(order)
        said = [one.nodes[i] for i in order]
        lines = [
            f"Step {n}: {node.says[0].replace('@', f'{node.a} {node.op} {node.b} = {node.c}')}"
            for n, node in enumerate(said, 1)
        ]
        assert judge(one, [*lines, f"The answer is {one.answer}."]).first_error is None
    assert reordered > 50


def test_numeric_reads_the_equation_and_strict_the_sentence() -> None:
    one = told(0)
    lines = solution(one)
    lines[0] = lines[0].replace(one.nodes[0].says[0].split("@")[0], "So it is ")
    assert judge(one, lines, "numeric").first_error is None
    judged = judge(one, lines, "strict")
    assert (judged.first_error, judged.steps[0].error) == (0, "subject")


@pytest.mark.parametrize("changed", ["1{}", "{}0", "{}.5", "0.{}"])
def test_numeric_does_not_read_a_part_of_a_number(changed: str) -> None:
    one = told(0)
    lines = solution(one)
    first, result = f"{one.nodes[0].a} ", f"= {one.nodes[0].c}"
    if changed.endswith("}"):
        lines[0] = lines[0].replace(first, changed.format(first), 1)
    else:
        lines[0] = lines[0].replace(result, changed.format(result))
    assert judge(one, lines, "numeric").first_error == 0


def test_a_corrected_slip_stays_the_first_error_and_the_rest_counts_from_the_right_value() -> None:
    one = told(0)
    right = [line.split(": ", 1)[1] for line in solution(one)[:-1]]
    slipped = right[1].replace(f"= {one.nodes[1].c}", f"= {one.nodes[1].c + 1}")
    said = [right[0], slipped, CORRECTION + right[1], *right[2:]]
    lines = [f"Step {n}: {text}" for n, text in enumerate(said, 1)]
    judged = judge(one, [*lines, f"The answer is {one.answer}."])
    assert [n for n, step in enumerate(judged.steps) if not step.right] == [1]
    assert judged.steps[1].error == "arithmetic"
    assert judged.answer_right


def test_what_follows_the_answer_is_out_of_form() -> None:
    one = told(0)
    lines = solution(one)
    judged = judge(one, [*lines, lines[-1]])
    assert judged.first_error == len(lines)
    assert judged.steps[-1].error == "form"
    assert judged.answer_right


def test_a_right_answer_without_its_steps_comes_too_early() -> None:
    one = told(0)
    judged = judge(one, [f"The answer is {one.answer}."])
    assert judged.answer_right
    assert judged.steps[0].error == "early"


def test_nothing_said_is_nothing_wrong_and_no_answer() -> None:
    judged = judge(told(0), [])
    assert judged.first_error is None
    assert not judged.answer_right


PIECES = ["Step 1: ", "Step 2: ", CORRECTION, "The answer is ", "3 + 4 = 7", "9 / 0 = 1", ".", "\n"]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)), max_size=6),
    st.sampled_from(["strict", "numeric"]),
)
def test_any_text_is_judged_line_by_line(lines: list[str], mode: str) -> None:
    judged = judge(told(1), lines, mode)  # type: ignore[arg-type]
    assert len(judged.steps) == len(lines)
    assert all(step.right == (step.error is None) for step in judged.steps)


@pytest.mark.parametrize(
    "garbage", ["9" * 100_000, "(" * 100_000, "1 + " * 25_000, "Step 1: " * 12_500]
)
def test_huge_lines_cost_no_time(garbage: str) -> None:
    started = time.perf_counter()
    judged = judge(told(0), [garbage, f"Step 2: {garbage}", f"The answer is {garbage}."])
    assert [step.error for step in judged.steps] == ["form"] * 3
    assert time.perf_counter() - started < 0.5
