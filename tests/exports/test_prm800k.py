from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.exports.cases import RIGHT, TRUSTED, WRONG, exported


def test_a_row_says_what_a_labeller_of_phase_2_would(tmp_path: Path) -> None:
    worked = replace(WRONG.problem, context={"solution": "4 * 2 = 8, 3 + 8 = 11"})
    given = [replace(WRONG, problem=worked), RIGHT, TRUSTED]
    loaded, counts = exported(tmp_path, "prm800k", given)
    row = loaded[0]
    assert row["labeler"] == "bisect"
    assert row["question"] == {
        "problem": "What is 3 + 4 * 2?",
        "ground_truth_solution": "4 * 2 = 8, 3 + 8 = 11",
        "ground_truth_answer": "11",
        "pre_generated_steps": ["4 * 2 = 8", "3 + 8 = 12", "It is 12."],
        "pre_generated_answer": "12",
        "pre_generated_verifier_score": None,
    }
    assert row["label"]["steps"] == [
        {
            "completions": [{"text": "4 * 2 = 8", "rating": 1, "flagged": False}],
            "human_completion": None,
            "chosen_completion": 0,
        },
        {
            "completions": [{"text": "3 + 8 = 12", "rating": -1, "flagged": False}],
            "human_completion": None,
            "chosen_completion": None,
        },
    ]
    assert [r["label"]["finish_reason"] for r in loaded] == ["found_error", "solution"]
    assert (counts["with an error"], counts["steps rated"]) == (1, 5)
    assert counts["left out: unexamined"] == 1


def test_a_reader_that_follows_the_chosen_steps_gets_the_trace(tmp_path: Path) -> None:
    """PRM800K's own way: each step's chosen completion is the history of the next."""
    loaded, _ = exported(tmp_path, "prm800k", [WRONG, RIGHT])
    walked = []
    for row in loaded:
        history = []
        for step in row["label"]["steps"]:
            if step["chosen_completion"] is None:
                break
            history.append(step["completions"][step["chosen_completion"]]["text"])
        walked.append(history)
    assert walked == [["4 * 2 = 8"], ["4 * 2 = 8", "3 + 8 = 11", "It is 11."]]
