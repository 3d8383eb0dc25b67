"""Foreign rows, written out by hand, become traces with exact text; broken ones say what is wrong."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from prmdata import imports
from prmdata.errors import UsageError
from prmdata.files import Unreadable
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.import_traces import TakingIn, run_import


def took(rows: list[dict[str, Any]], layout: str | None = None, **settings: Any) -> list[Trace]:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = ListOutput()
    asked = TakingIn("rows.jsonl", layout, settings)
    asyncio.run(run_import(asked, output, RunOptions(quiet=True, store=None)))
    return output.traces


PROCESSBENCH = {
    "id": "gsm8k-1", "generator": "m", "problem": "1 + 2?", "steps": ["1 + 2 = 4", "So 4."],
    "final_answer_correct": False, "label": 0,
}  # fmt: skip
SHEPHERD = {
    "input": "What is 2 + 3? Step 1: 2 + 3 = 5 ки\nStep 2: The answer is: 5 ки",
    "label": "What is 2 + 3? Step 1: 2 + 3 = 5 +\nStep 2: The answer is: 5 -",
    "task": "GSM8K",
}


def prm800k(*ratings: int | None, rest: int = 0) -> dict[str, Any]:
    texts = [f"Step {i}." for i in range(len(ratings) + rest)]
    steps = [
        {
            "completions": [
                {"text": "Another.", "rating": 0, "flagged": False},
                {"text": text, "rating": rating, "flagged": False},
            ],
            "human_completion": None,
            "chosen_completion": 1,
        }
        for text, rating in zip(texts, ratings, strict=False)
    ]
    return {
        "question": {
            "problem": "Why?",
            "ground_truth_answer": "7",
            "pre_generated_steps": texts,
            "ground_truth_solution": "Because.",
        },
        "label": {"steps": steps, "finish_reason": "found_error"},
    }


def test_processbench() -> None:
    (trace,) = took([PROCESSBENCH])
    assert trace.problem.question == "1 + 2?"
    assert trace.text == "1 + 2 = 4\n\nSo 4."
    assert trace.correct is False
    assert trace.labels is not None
    assert trace.labels.first_error == 0
    assert trace.evidence[0].kind == "truth"
    assert trace.evidence[0].verdicts == ("wrong", None)
    (right,) = took([{**PROCESSBENCH, "label": -1, "final_answer_correct": True}])
    assert right.labels is not None
    assert right.labels.first_error is None
    assert right.evidence[0].verdicts == ("right", "right")


def test_math_shepherd() -> None:
    (trace,) = took([SHEPHERD])
    assert trace.problem.question == "What is 2 + 3?"
    assert [s.text for s in trace.steps] == ["Step 1: 2 + 3 = 5\n", "Step 2: The answer is: 5"]
    assert trace.labels is not None
    assert trace.labels.first_error == 1
    assert trace.correct is False
    assert trace.evidence[0].kind == "scores"  # rollouts said it, not people


def test_prm800k_takes_the_chosen_steps_and_keeps_the_rest_unrated() -> None:
    (trace,) = took([prm800k(1, 0, -1, rest=2)])
    assert len(trace.steps) == 5
    assert trace.evidence[0].verdicts == ("right", "right", "wrong", None, None)
    assert trace.labels is not None
    assert trace.labels.first_error == 2
    assert trace.problem.answer == "7"
    assert trace.problem.context["solution"] == "Because."
    (strict,) = took([prm800k(1, 0, -1)], "prm800k", neutral="wrong")
    assert strict.labels is not None
    assert strict.labels.first_error == 1


def test_prm800k_counts_completions_as_they_stand() -> None:
    row = prm800k(1, -1)
    offered = row["label"]["steps"][1]["completions"]
    offered[0] = {"text": "", "rating": None, "flagged": False}
    offered.append({"text": "Worse.", "rating": 1, "flagged": False})
    (trace,) = took([row])
    assert [step.text for step in trace.steps] == ["Step 0.\n", "Step 1."]
    assert trace.evidence[0].verdicts == ("right", "wrong")
    offered[1]["text"] = None  # the chosen one says nothing: no other stands in for it
    (trace,) = took([row])
    assert trace.evidence[0].verdicts == ("right", None)


def test_prm800k_keeps_the_answer_of_the_generated_steps_only() -> None:
    row = prm800k(1, 1)
    row["question"] |= {"pre_generated_answer": "7", "ground_truth_answer": None}
    (as_generated,) = took([row])
    assert as_generated.answer == "7"
    row["label"]["steps"][1]["chosen_completion"] = 0
    (another,) = took([row])
    assert another.text == "Step 0.\nAnother."
    assert another.answer is None


def test_openr_trees_give_a_trace_for_every_leaf() -> None:
    tree = {
        "text": "1 + 1?",
        "mc_value": 0.5,
        "children": [
            {"text": "Two.\n\nThe answer is 2", "mc_value": 1.0, "children": []},
            {
                "text": "Hm.\n\n",
                "mc_value": 0.25,
                "children": [{"text": "The answer is 3", "mc_value": 0, "children": []}],
            },
        ],
    }
    made = took([{"question": "1 + 1?", "final_answer": "2", "reasoning_steps": tree}])
    assert [t.correct for t in made] == [True, False]
    assert made[1].evidence[0].values == (0.25, 0.0)
    assert made[0].problem.id == made[1].problem.id
    assert made[0].group is not None
    assert (made[0].group.right, made[0].group.wrong) == (1, 1)


def test_best_of_n_and_named_columns() -> None:
    row = {
        "problem": "2 + 2?",
        "answer": "4",
        "completions": ["So\n\\boxed{4}", "It is \\boxed{5}"],
    }
    assert [t.correct for t in took([row])] == [True, False]
    named = {"p": "2 + 2?", "gold": "4", "out": "2 + 2 = 4.\nThe answer is 4."}
    (trace,) = took(
        [named], "columns", fields={"question": "p", "answer": "gold", "response": "out"}
    )
    assert trace.correct
    assert trace.text == named["out"]
    assert len(trace.steps) == 2


def test_chats_keep_thoughts_and_tools() -> None:
    row = {
        "answer": "42",
        "messages": [
            {"role": "system", "content": "Think."},
            {"role": "user", "content": "6 * 7?"},
            {
                "role": "assistant",
                "content": "",
                "reasoning_content": "I ask.",
                "tool_calls": [{"function": {"name": "sum", "arguments": "{}"}}],
            },
            {"role": "tool", "content": "42", "tool_call_id": "1"},
            {"role": "assistant", "content": "The answer is 42."},
        ],
    }
    (trace,) = took([row])
    assert trace.correct
    assert trace.origin.messages[0] == {"role": "system", "content": "Think."}
    assert [s.kind for s in trace.steps] == ["thought", "tool_call", "observation", "answer"]
    assert "<think>\nI ask.\n</think>" in trace.steps[0].text


def test_a_problem_that_comes_back_later_has_another_id() -> None:
    other = {**PROCESSBENCH, "problem": "another?"}
    made = took([PROCESSBENCH, PROCESSBENCH, other, PROCESSBENCH])
    ids = [t.problem.id for t in made]
    assert ids[0] == ids[1]
    assert ids[3] == f"{ids[0]}.2"
    assert len({t.id for t in made}) == 4


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**PROCESSBENCH, "label": 2}, "no index of 2 steps"),
        ({**PROCESSBENCH, "label": True}, "no index"),
        ({**PROCESSBENCH, "steps": "one"}, "no list"),
        ({**PROCESSBENCH, "problem": " "}, "empty"),
        ({**SHEPHERD, "label": SHEPHERD["label"].replace("+", "*")}, "not the input"),
        ({**SHEPHERD, "input": "No step ки", "label": "No step +"}, "Step 1"),
        (prm800k(7), "rating 7"),
        (prm800k(), "no step was rated"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no user's message"),
        ({"problem": "x", "completions": ["", "y"]}, "response 0 is empty"),
    ],
)
def test_broken_rows_say_what_is_wrong(row: dict[str, Any], said: str) -> None:
    Path("rows.jsonl").write_text(json.dumps(row) + "\n")
    (found,) = imports.read("rows.jsonl", None, {})
    assert isinstance(found, Unreadable)
    assert "rows.jsonl:1" in found.reason
    assert said in found.reason


def test_what_cannot_be_told_is_asked_for() -> None:
    Path("rows.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(UsageError, match="--fields"):
        list(imports.read("rows.jsonl", None, {}))
    with pytest.raises(UsageError, match="response"):
        make(imports.IMPORTS, "columns", {"fields": {"question": "a"}})
    with pytest.raises(UsageError, match="processbench"):
        make(imports.IMPORTS, "procesbench", {})
