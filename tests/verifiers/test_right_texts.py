"""Right texts in the styles that people and models write, of which none may be called wrong.

`right_lines.txt` has one statement per line, `right_solutions.txt` whole solutions, a step per
line. Both were written for this test: remainders, parts of longer expressions, shares, running
sums, trials, cases, bullets, units, rounding, and what else once raised a false alarm.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prmdata.records import Step
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.arithmetic import Arithmetic
from prmdata.verifiers.contract import Finding
from tests.verifiers.boxed import checked, trace_of
from tests.verifiers.measure_processbench import findings, place, rows

HERE = Path(__file__).parent
LINES = [
    line
    for line in (HERE / "right_lines.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]
SOLUTIONS = [
    block.splitlines()
    for block in (HERE / "right_solutions.txt").read_text(encoding="utf-8").split("\n\n")
]


def wrong(question: str, *steps: str) -> list[Finding]:
    found = [*Arithmetic().check(steps), *Algebra().check(question, steps)]
    return [finding for finding in found if finding.verdict == "wrong"]


def test_no_right_line_is_called_wrong() -> None:
    assert len(LINES) > 800
    assert [(line, found) for line in LINES if (found := wrong("", line))] == []


def test_no_step_of_a_right_solution_is_called_wrong() -> None:
    assert len(SOLUTIONS) > 80
    for question, *steps in SOLUTIONS:
        for cut in (steps, [" ".join(steps)], ["\n".join(steps)]):
            assert wrong(question, *cut) == [], question


@pytest.mark.parametrize(
    "text",
    [
        "A = (7+5+2) = (14+2) = 16",
        "5 + 3 = 8 * 2 = 16, and 2 + 2 = 4",
        "36/5 = 7 full pens, and 2 + 2 = 4",
        "50 - 20% = 40, and 2 + 2 = 4",
        "Suppose 2 + 2 = 5. Then 2 + 3 = 5.",
        "2 + 2 = 4, but 2 + 2 = 5 is not true",
    ],
)
def test_an_equality_that_was_excused_leaves_its_step_unknown(text: str) -> None:
    assert Arithmetic().check([text])[0].verdict == "unknown"


@pytest.mark.parametrize(
    ("text", "wrong_text"),
    [
        ("**Total:** 5 × 3 = **15** apples", "**Total:** 5 × 3 = **16** apples"),
        ("| cost | 5 × 3 = 15 |", "| cost | 5 × 3 = 16 |"),
        ("→ 5 × 3 = 15 ✅", "→ 5 × 3 = 16 ✅"),
        ("10 (from John) + 5 (from Mary) = 15", "10 (from John) + 5 (from Mary) = 16"),
        (
            r"\[10 (\text{first day}) + 5 (\text{second day}) = 15\]",
            r"\[10 (\text{first day}) + 5 (\text{second day}) = 16\]",
        ),
        ("(2/3) * 100 = 66.67%", "(2/3) * 100 = 67.67%"),
        ("495 students * $15/student = $7425", "495 students * $15/student = $7455"),
        ("This simplifies to 4 + 3 * 2 = 10", "This simplifies to 4 + 3 * 2 = 14"),
    ],
)
def test_what_models_write_is_read(text: str, wrong_text: str) -> None:
    assert Arithmetic().check([text])[0].verdict == "right"
    assert Arithmetic().check([wrong_text])[0].verdict == "wrong"


def test_people_find_no_fault_with_few_of_the_steps_called_wrong() -> None:
    """On ProcessBench's GSM8K part, where it is at hand: named by PRMDATA_TEST_DATA."""
    folder = Path(os.environ.get("PRMDATA_TEST_DATA") or HERE)
    if not (folder / "processbench_gsm8k.jsonl").exists():
        pytest.skip("PRMDATA_TEST_DATA names no folder with processbench_gsm8k.jsonl")
    places = [
        place(index, row["label"])
        for row in rows(folder, "all")
        for name in ("arithmetic", "algebra")
        for index, found in enumerate(findings(name, row))
        if found.verdict == "wrong"
    ]
    assert places.count("hit") >= 20
    assert places.count("before it") + places.count("in a right trace") <= 0.02 * len(places)


def test_code_and_what_tools_print_are_no_prose() -> None:
    code = Step("x = 5 / 2 = 3", kind="code")
    printed = Step("2 + 2 = 5", kind="observation")
    for name in ("arithmetic", "algebra"):
        (evidence,) = checked(name, trace_of("2 + 2 = 4", code, printed))
        assert evidence.verdicts[1:] == ("unknown", "unknown")
