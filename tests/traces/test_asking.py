from __future__ import annotations

import pytest

from prmdata.errors import UsageError
from prmdata.problems import abacus
from prmdata.records import Problem
from prmdata.traces.generate import Generation

MATH = Problem("1", "1 + 1?", "2")
BOXED = "1 + 1?\n\nPut the final answer in \\boxed{}."


def said(problem: Problem, **how: object) -> str:
    return Generation(**how).messages(problem)[-1]["content"]  # type: ignore[arg-type]


def test_math_is_asked_for_in_a_box_unless_told_otherwise() -> None:
    assert said(MATH) == BOXED
    assert said(MATH, prompt="plain") == "1 + 1?"
    assert said(MATH, prompt="Solve: {question}") == "Solve: 1 + 1?"


@pytest.mark.parametrize(
    "how",
    [
        {"template": "raw"},
        {"system": "Answer in \\boxed{}."},
        {"few_shot": ({"role": "user", "content": "0?"}, {"role": "assistant", "content": "0"})},
    ],
)
def test_what_shows_a_form_of_its_own_is_left_alone(how: dict[str, object]) -> None:
    assert said(MATH, **how) == "1 + 1?"
    assert said(MATH, prompt="boxed", **how) == BOXED


def test_some_problems_say_or_know_their_form() -> None:
    [own] = abacus.read("1", lambda rows: rows)
    assert said(own) == own.question
    assert said(Problem("1", "Name it.", "Ada", kind="text")) == "Name it."
    assert said(Problem("1", "1 + 1? Use \\boxed{}.", "2")) == "1 + 1? Use \\boxed{}."


def test_a_prompt_without_the_question_is_refused() -> None:
    with pytest.raises(UsageError, match="auto, plain, boxed"):
        Generation(prompt="bxed")
