"""`grade`: rows and traces, from files and pipes, with every grade counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.warm import command

ROWS = [
    {"id": 1, "output": "So she makes **18** dollars.", "gold": "9*2=18\n#### 18"},
    {"id": 2, "output": "It is 17.", "gold": "18"},
    {"id": 3, "output": "I give up.", "gold": "18"},
    {"id": 4, "output": "It is 17.", "gold": None},
    {"id": 5, "output": r"\boxed{2x}", "gold": "x*2"},
    {"id": 6, "output": ["It is 1.", "It is 2."], "gold": ["2", "3"]},
    {"id": 7, "output": "in Paris, France", "gold": "Paris", "kind": "qa"},
]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_are_graded_in_their_order() -> None:
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    done = command(
        "grade", "rows.jsonl", "--fields", "response=output,answer=gold", "-o", "g.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert "7 rows · 3 right, 3 wrong, 1 unparsed, 1 without a gold answer" in done.stderr
    assert "1 of 7 answers (14%) could not be read" in done.stderr
    made = lines(Path("g.jsonl").read_text())
    assert [row["id"] for row in made] == [1, 2, 3, 4, 5, 6, 7]
    grades = ["right", "wrong", "unparsed", None, "right", ["wrong", "right"], "wrong"]
    assert [row["grade"] for row in made] == grades
    assert [row["correct"] for row in made[:4]] == [True, False, None, None]
    assert made[0]["extracted"] == "18"
    assert made[6]["score"] == pytest.approx(0.5)


def test_traces_are_graded_anew_from_a_pipe_by_another_rule() -> None:
    trace = {
        "id": "a/0",
        "problem": {"id": "a", "question": "1 + 1?", "answer": "2"},
        "steps": [{"text": "So it is 2."}],
    }
    for rule, correct in (("last", True), ("boxed", None)):
        done = command("grade", "--answers", rule, given=json.dumps(trace) + "\n")
        (made,) = lines(done.stdout)
        assert (made["correct"], made["origin"]["answers"]) == (correct, rule)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--fields", "response=outptu"], 2, "did you mean 'output'"),
        (["--fields", "reply=output"], 2, "unknown field 'reply'"),
        ([], 0, "right"),
        (["--answers", "boxd"], 2, "did you mean 'boxed'"),
        (["--fields", "response=id"], 1, "no text to grade in column 'id'"),
    ],
)
def test_what_cannot_be_graded_is_said(words: list[str], code: int, says: str) -> None:
    done = command("grade", "-", *words, given=json.dumps(ROWS[0]) + "\n")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
