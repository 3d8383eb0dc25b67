from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.exports.contract import LeftOut
from prmdata.exports.math_shepherd import MathShepherd
from prmdata.records import Step
from tests.exports.cases import RIGHT, WRONG, exported


def read(row: dict) -> tuple[str, list[str], list[bool]]:
    """As readers of the original do: the label is one character long where the input has two."""
    text = row["input"].replace("ки", "@")
    places = [match.start() for match in re.finditer("@", text)]
    labels = [row["label"][place] == "+" for place in places]
    assert all(row["label"][place] in "+-" for place in places)
    question, first = text.split("@")[0].split("Step 1:")
    return question.strip(), [first.strip(), *map(str.strip, text.split("@")[1:-1])], labels


def test_readers_of_the_original_read_it(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "math-shepherd", [WRONG, RIGHT])
    assert loaded[0]["input"] == (
        "What is 3 + 4 * 2? Step 1: 4 * 2 = 8 ки\nStep 2: 3 + 8 = 12 ки\nStep 3: It is 12. ки"
    )
    assert loaded[0]["label"] == (
        "What is 3 + 4 * 2? Step 1: 4 * 2 = 8 +\nStep 2: 3 + 8 = 12 -\nStep 3: It is 12. -"
    )
    question, steps, labels = read(loaded[0])
    assert question == "What is 3 + 4 * 2?"
    assert steps == ["4 * 2 = 8", "Step 2: 3 + 8 = 12", "Step 3: It is 12."]
    assert labels == [True, False, False]
    assert (counts["steps right"], counts["steps wrong"]) == (4, 2)


def test_openrlhf_finds_a_label_for_every_mark() -> None:
    for trace, after in ((WRONG, "wrong"), (WRONG, "stop"), (RIGHT, "stop")):
        row = MathShepherd(after_error=after).row(trace)  # type: ignore[arg-type]
        assert row["input"].count("ки") == len(row["value"])
        assert [mark == "+" for mark in row["value"]] == read(row)[2]
    assert MathShepherd(after_error="stop").row(WRONG)["value"] == ["+", "-"]


def test_a_step_that_says_its_number_keeps_it() -> None:
    said = replace(RIGHT, steps=(Step("Step 1: 4 * 2 = 8\n"), *RIGHT.steps[1:]))
    assert MathShepherd().row(said)["input"] == MathShepherd().row(RIGHT)["input"]


def test_what_would_shift_the_labels_is_left_out() -> None:
    marked = replace(RIGHT, steps=(Step("руки"),))
    asking = replace(RIGHT, problem=replace(RIGHT.problem, question="Step 1: add. What next?"))
    for trace in (marked, asking):
        with pytest.raises(LeftOut):
            MathShepherd().row(trace)
