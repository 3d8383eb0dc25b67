"""Code problems keep their tests."""

from __future__ import annotations

import pytest

from prmdata.files import Unreadable
from prmdata.problems import problems
from prmdata.records import Problem
from tests.problems.test_problems import read, wrote

MBPP = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def double(n):\n    return 2 * n",
    "test_list": ["assert double(2) == 4", "assert double(0) == 0"],
    "test_setup_code": "import math",
    "challenge_test_list": [],
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def double(n):\n",
    "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    "entry_point": "double",
}


def test_mbpp_and_humaneval_are_told_from_their_columns() -> None:
    (mbpp,) = read(wrote(MBPP))
    assert (mbpp.id, mbpp.kind, mbpp.question) == ("11", "code", MBPP["text"])
    assert mbpp.context == {
        "solution": MBPP["code"],
        "tests": MBPP["test_list"],
        "setup": "import math",
    }
    (humaneval,) = read(wrote(HUMANEVAL))
    assert (humaneval.id, humaneval.kind) == ("HumanEval/0", "code")
    assert {n: humaneval.context[n] for n in ("test", "entry_point", "prompt")} == {
        n: HUMANEVAL[n] for n in ("test", "entry_point", "prompt")
    }
    assert humaneval.answer is None
    assert humaneval.meta == {}


@pytest.mark.parametrize("tests", ["assert True", [1], {"a": 1}])
def test_tests_of_another_shape_are_told(tests: object) -> None:
    found: list[Problem | Unreadable] = list(problems(wrote({**MBPP, "test_list": tests})))
    assert isinstance(found[0], Unreadable)
    assert "a list of assert statements" in found[0].reason
