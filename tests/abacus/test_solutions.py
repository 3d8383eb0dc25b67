from __future__ import annotations

import random
from typing import get_args

import pytest

from prmdata.abacus import judge, solution, story
from prmdata.abacus.oracle import ErrorKind
from prmdata.abacus.solutions import slip, with_error


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_each_kind_of_error_is_found_where_it_was_put(kind: ErrorKind) -> None:
    for index in range(400):
        told = story(21, index, 1 + index % 4)
        lines, wrong = with_error(told, kind, random.Random(index))
        judged = judge(told, lines)
        assert judged.first_error == wrong, (told.question, lines)
        assert judged.steps[wrong].error == kind, (told.question, lines)


def test_without_chance_the_first_way_to_say_each_step_is_taken() -> None:
    told = story(21, 0, 3)
    assert solution(told) == solution(told)
    assert solution(told)[-1] == f"The answer is {told.answer}."
    assert len(solution(told)) == len(told.nodes) + 1


def test_slips_are_near_and_positive() -> None:
    chance = random.Random(0)
    for number in range(1, 400):
        missed = slip(number, chance)
        assert missed > 0
        assert missed != number
        assert abs(missed - number) <= 100
