from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prmdata.grading import compare, extract_answer
from tests.grading.closings import CLOSINGS, HEDGES
from tests.grading.mutations import is_right

DATA = Path(__file__).parents[3] / "shared" / "data"
WORK = "First, 3 + 4 = 7. Then 2 * 5 = 10.\n\n"


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


@pytest.mark.parametrize("gold", ["18", "1,250", "2.5", "7", "0", "360"])
def test_the_ways_that_models_close_are_read(gold: str) -> None:
    lost = [
        closing
        for closing in CLOSINGS
        if (answer := extract_answer(WORK + closing.replace("@", gold))) is None
        or compare(answer, gold) is False
    ]
    assert len(lost) <= 0.03 * len(CLOSINGS), lost


@pytest.mark.parametrize("hedge", HEDGES)
def test_a_number_that_is_not_the_answer_is_not_taken_for_it(hedge: str) -> None:
    answer = extract_answer(WORK + hedge.replace("@", "18"))
    assert answer is None or compare(answer, "18") is not True


@pytest.mark.parametrize(
    ("text", "boxed", "marked", "last"),
    [
        (r"so \boxed{18}", "18", "18", "18"),
        ("The answer is 18.", None, "18", "18"),
        ("A: 18", None, "18", "18"),
        ("So she makes **18** dollars.", None, "18", "18"),
        ("So she makes 18 dollars.", None, None, "18"),
        ("I give up.", None, None, None),
    ],
)
def test_the_three_rules(
    text: str, boxed: str | None, marked: str | None, last: str | None
) -> None:
    found = [extract_answer(text, answers=rule) for rule in ("boxed", "marked", "last")]
    assert found == [boxed, marked, last]


def test_boxes_side_by_side_are_a_list_where_a_list_is_asked_for() -> None:
    two = r"so $x = \boxed{18}$ and $x = \boxed{19}$"
    assert extract_answer(two) == "19"
    assert extract_answer(two, parts=2) == "18, 19"
    assert extract_answer(r"\boxed{18} or \boxed{19}") == "18, 19"


def test_what_was_thought_aloud_is_no_answer() -> None:
    assert extract_answer("<think>The answer is 3.</think>So she has 4 eggs.") == "4"
    assert extract_answer("</think>" * 9 + "The answer is 18<|im_end|></s>\n") == "18"


WORST = (
    r"\boxed{", "{", "}", "#", "$", "answer is ", "\\", "\n", "</think>", "# Answer\n", "####",
    "<answer>", "A: ", "(A) ", "**", " ", "option ", "1,", "1 or ", "=", "\\[", "\\(", "final ",
    "<|im_end|>", "1.", " (", "9", "1/", "answer", "answer\n", "$1", r"\frac", "x=", ". ", "! ", "a b ",
    "is ", "**Answer", "9 ", "The answer is" + "\n" * 100_000, "x\\le", "_", "\\text{", "\t",
)  # fmt: skip


@pytest.mark.parametrize("mark", WORST)
@pytest.mark.parametrize("kind", ["math", "choice", "text"])
def test_hostile_text_is_read_in_linear_time(mark: str, kind: str) -> None:
    """A megabyte takes some 10 ms; anything quadratic in this length takes minutes."""
    bulk = mark * (1_000_000 // len(mark))
    for text in (bulk, "The answer is " + bulk, bulk + "1", r"\boxed{" + bulk + "}"):
        started = time.process_time()
        answer = extract_answer(text, kind)
        compare(answer or "", "18")
        assert time.process_time() - started < 0.5


FORMULAS = (
    r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}", r"\frac{3}{4}", "5x - 7y + 4 = 0", r"\$36",
    r"\left( 3, \frac{\pi}{2} \right)", ".35625", r"11,\! 111,\! 100", "p - q", r"\text{Evelyn}",
    r"x \in [-2,7]", r"3\sqrt{13}", r"6 - 5i", "1,-2", r"\text{June 20}", r"2\sqrt{2}\text{ cm}",
)  # fmt: skip
DISPLAYS = (
    "The answer is $@$.", r"So the answer is \(@\).", "### Final Answer\n\n$$@$$", r"\[ @ \]",
    "**Final Answer:**\n\\[\n@\n\\]", "**Final Answer:**\n\n$$\n@\n$$", "So, the value is $$@.$$",
    "**$@$**", "<answer>@</answer>", "Answer: @", "The answer is **$@$**.", r"Hence \boxed{@}.",
    "Final Answer: The final answer is $@$. I hope it is correct.",
)  # fmt: skip


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("gold", FORMULAS)
def test_formulas_are_read_whole(gold: str, display: str) -> None:
    answer = extract_answer(WORK + display.replace("@", gold), parts=gold.count(",") + 1)
    assert answer is not None
    assert compare(answer, gold) is True


@pytest.mark.skipif(
    not (DATA / "processbench_gsm8k.jsonl").exists(), reason="needs ProcessBench beside the project"
)
def test_processbench_is_graded_as_its_authors_did() -> None:
    golds = {
        " ".join(row["question"].split()): row["answer"].rpartition("####")[2].strip()
        for row in rows("gsm8k_test.jsonl")
    }
    agreed = []
    for row in rows("processbench_gsm8k.jsonl"):
        answer = extract_answer("\n\n".join(row["steps"]))
        gold = golds[" ".join(row["problem"].split())]
        agreed.append(
            (answer is not None and is_right(answer, gold)) == row["final_answer_correct"]
        )
    assert sum(agreed) >= 0.985 * len(agreed)


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]
