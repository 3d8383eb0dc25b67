from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prmdata.records import Labels, Origin
from tests.exports.cases import RIGHT, TRUSTED, WRONG, exported


def test_rows_are_those_of_the_benchmark(tmp_path: Path) -> None:
    lucky = replace(RIGHT, id="p/4", labels=Labels("bisect", 0), origin=Origin(model="m"))
    cut = replace(WRONG, id="p/5", correct=None)
    loaded, counts = exported(tmp_path, "processbench", [WRONG, RIGHT, TRUSTED, lucky, cut])
    assert loaded.features["label"].dtype == "int64"
    assert loaded.features["final_answer_correct"].dtype == "bool"
    assert loaded[0] == {
        "id": "p/0",
        "generator": "",
        "problem": "What is 3 + 4 * 2?",
        "steps": ["4 * 2 = 8", "3 + 8 = 12", "It is 12."],
        "final_answer_correct": False,
        "label": 1,
    }
    assert loaded["label"][:] == [1, -1, 0]
    assert loaded["generator"][:] == ["", "", "m"]
    assert (counts["with an error"], counts["right answers with an error"]) == (2, 1)
    assert counts["left out: unexamined"] == 1
    assert counts["left out: nobody knows whether the answer is right"] == 1


def test_the_benchmarks_own_score_can_be_computed(tmp_path: Path) -> None:
    """The harmonic mean of the accuracies on rows with an error and on rows without."""
    loaded, _ = exported(tmp_path, "processbench", [WRONG, replace(WRONG, id="p/9"), RIGHT])
    said = [1, 0, -1]
    hits = [
        (row["label"] == -1, row["label"] == guess) for row, guess in zip(loaded, said, strict=True)
    ]
    found = [hit for right, hit in hits if not right]
    passed = [hit for right, hit in hits if right]
    a, b = sum(found) / len(found), sum(passed) / len(passed)
    assert 2 * a * b / (a + b) == 2 / 3
