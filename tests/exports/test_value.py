from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.exports.cases import RIGHT, WRONG, exported


def test_every_step_carries_the_outcome(tmp_path: Path) -> None:
    unlabelled, cut = replace(WRONG, labels=None), replace(WRONG, id="p/4", correct=None)
    loaded, counts = exported(tmp_path, "value", [unlabelled, RIGHT, cut])
    assert loaded.features["labels"].feature.dtype == "int64"
    assert loaded["labels"][:] == [[0, 0, 0], [1, 1, 1]]
    assert loaded[0]["completions"] == ["4 * 2 = 8", "3 + 8 = 12", "It is 12."]
    assert loaded[0]["prompt"] == "What is 3 + 4 * 2?\n"
    assert (counts["traces right"], counts["traces wrong"]) == (1, 1)
    assert counts["left out: nobody knows whether the answer is right"] == 1


def test_ovms_own_file_has_a_row_for_a_problem(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "value", [WRONG, RIGHT], {"layout": "ovm"})
    (row,) = loaded
    assert row["question"] == "What is 3 + 4 * 2?"
    assert (row["answer"], row["ground_truth"]) == ("11", "11")
    assert [(o["response_answer"], o["label"]) for o in row["outputs"]] == [
        ("12", False),
        ("11", True),
    ]
    assert (counts["traces right"], counts["traces wrong"]) == (1, 1)
