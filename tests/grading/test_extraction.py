from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prmdata.grading import extract_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{72}.", "72"),
        (r"\boxed{\frac{1}{2}} and then \boxed{\sqrt{3}}", r"\sqrt{3}"),
        (r"first \boxed{1}, \boxed{2}", "2"),  # two boxes never merge
        (r"\boxed{1}\boxed{2}", "2"),
        (r"\fbox{7}", "7"),
        (r"\boxed 5 is it", "5"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{never closes", None),
        (r"\boxed{}", None),
        ("48/2=24\n#### 72", "72"),
        ("#### 1,000\n", "1,000"),
        ("The answer is 12.", "12"),
        ("The final answer is: $\\frac{3}{4}$.", r"\frac{3}{4}"),
        ("**The answer is 3.5.**", "3.5"),
        ("Answer: 7 apples", "7 apples"),
        ("the answer is **42**", "42"),
        ("The answer is 3. Wait. The answer is 4.", "4"),
        ("#### 3\nno: the answer is 4.", "4"),
        ("the answer is 4\n#### 3", "3"),
        ("I do not know", None),
        ("", None),
    ],
)
def test_the_last_marked_answer_is_taken(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        (r"\boxed{C}", "C"),
        (r"\boxed{\text{D}}", "D"),
        ("So the correct option is A", "A"),
        ("Thus:\n(B) the second", "B"),
        ("A dog is an animal. answer: D", "D"),
        (r"\boxed{12}", None),
        ("nothing", None),
    ],
)
def test_choices(text: str, letter: str | None) -> None:
    assert extract_answer(text, "choice") == letter


@given(st.text(alphabet=r"\boxed{} $()#answer is12.", max_size=300))
def test_any_text_is_read(text: str) -> None:
    for kind in ("math", "choice"):
        found = extract_answer(text, kind)
        assert found is None or found


@pytest.mark.parametrize("mark", ["\\boxed{", "{", "}", "#", "$", "answer is ", "\\"])
def test_hostile_text_is_read_in_one_pass(mark: str) -> None:
    """Milliseconds; anything quadratic in this length would take minutes."""

    def seconds() -> float:
        started = time.perf_counter()
        extract_answer(mark * (400_000 // len(mark)))
        return time.perf_counter() - started

    assert min(seconds() for _ in range(3)) < 10
