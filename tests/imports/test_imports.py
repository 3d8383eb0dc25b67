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


def test_prompts_and_completions_as_trl_has_them() -> None:
    user, system = {"role": "user", "content": "2 + 2?"}, {"role": "system", "content": "Be brief."}
    row = {"prompt": [system, user], "answer": "4"}
    for completion in ([{"role": "assistant", "content": "So \\boxed{4}."}], "So \\boxed{4}."):
        (trace,) = took([{**row, "completion": completion}])
        assert trace.correct
        assert trace.text == "So \\boxed{4}."
        assert trace.origin.messages == (system, user)  # what the policy saw
        assert trace.problem.question == "2 + 2?"
    Path("rows.jsonl").write_text(json.dumps({**row, "completion": [user]}) + "\n")
    (bad,) = imports.read("rows.jsonl", "columns", {})
    assert isinstance(bad, Unreadable)


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
    assert [s.kind for s in trace.steps] == ["tool_call", "answer"]
    assert trace.steps[0].observation == "42"
    assert "<think>\nI ask.\n</think>" in trace.steps[0].text


def test_rows_of_one_problem_become_one_group_wherever_they_stand() -> None:
    rows = [
        {"problem": f"{i % 3} + 1?", "answer": str(i % 3 + 1), "response": f"It is {i}. So 7."}
        for i in range(12)
    ]
    made = took(rows)
    ids = [t.problem.id for t in made]
    assert len(set(ids)) == 3
    assert ids == [name for name in dict.fromkeys(ids) for _ in range(4)]  # each stands together
    assert len({t.id for t in made}) == 12
    assert [t.text[6:8].strip(".") for t in made[:4]] == ["0", "3", "6", "9"]
    assert all(t.group is not None and t.group.n == 4 for t in made)
    one_by_one = took(sorted(rows, key=lambda row: row["problem"]))
    assert {(t.problem.id, t.text) for t in made} == {(t.problem.id, t.text) for t in one_by_one}


def test_no_question_stands_in_two_splits() -> None:
    """Rows sorted by the model that wrote them, as people have them."""
    from prmdata.dataset.selection import Selection

    rows = [
        {**PROCESSBENCH, "id": f"{model}-{i}", "problem": f"{i} + 2?", "generator": model}
        for model in "abc"
        for i in range(40)
    ]
    chosen = Selection(split=(("train", 0.5), ("test", 0.5)))
    splits: dict[str, set[str]] = {}
    for trace in took(rows):
        splits.setdefault(trace.problem.question, set()).add(chosen.split_of(trace.problem.id))
    assert len(splits) == 40
    assert all(len(found) == 1 for found in splits.values())


def test_the_ids_of_the_source_are_kept() -> None:
    def ids(*names: str | None, question: str = "p?") -> list[tuple[str, str]]:
        rows = [
            {**PROCESSBENCH, "problem": question.replace("#", str(i)), "id": name}
            for i, name in enumerate(names)
        ]
        return [(t.problem.id, t.id) for t in took(rows)]

    assert ids("a-1") == [("a-1", "a-1")]
    assert ids("a", "a") == [("a", "a/0"), ("a", "a/1")]  # it names the problem
    ((problem, first), (same, second)) = ids("a-1", "a-2")  # they name the traces
    assert (first, second) == ("a-1", "a-2")
    assert problem == same not in ("a-1", "a-2")
    ((one, _), (other, _)) = ids("a", "a", question="#?")  # one name for two problems
    assert one != other
    assert one.startswith("a-")
    assert other.startswith("a-")
    ((unnamed, trace),) = ids(None)
    assert trace == f"{unnamed}/0"


def test_one_question_with_two_answers_is_two_problems() -> None:
    rows = [{"problem": "x?", "answer": a, "response": "So 1."} for a in ("1", "2", "1")]
    assert [t.problem.answer for t in took(rows)] == ["1", "1", "2"]


def test_steps_and_the_first_error_by_columns() -> None:
    row = {"q": "1 + 2?", "gold": 3, "s": ["1 + 2 = 4", "So 4."], "e": 1, "ok": "wrong"}
    fields = {"question": "q", "answer": "gold", "steps": "s", "first_error": "e", "correct": "ok"}
    (trace,) = took([row], "columns", fields=fields)
    assert [step.text for step in trace.steps] == ["1 + 2 = 4\n", "So 4."]
    assert trace.evidence[0].kind == "truth"
    assert trace.evidence[0].verdicts == ("right", "wrong")
    assert trace.correct is False
    assert trace.problem.meta == {}
    (counted,) = took([row], "columns", fields=fields, first_error_base=1)
    assert counted.evidence[0].verdicts == ("wrong", None)
    for none in (-1, "-1", "N/A", -1.0):
        (right,) = took([{**row, "e": none}], "columns", fields=fields)
        assert right.evidence[0].verdicts == ("right", "right")
    for empty in (None, "", float("nan")):
        given = {**row, "e": None if empty != empty else empty}
        (unknown,) = took([given], "columns", fields=fields)
        assert unknown.evidence == ()
        assert unknown.labels is None
        (right,) = took([given], "columns", fields=fields, first_error_empty="none")
        assert right.evidence[0].verdicts == ("right", "right")


@pytest.mark.parametrize("wrong", [2, -2, True, "two", 0.5, [1], 10**30])
def test_a_first_error_that_is_no_step_is_refused(wrong: object) -> None:
    row = {"q": "1 + 2?", "s": ["1 + 2 = 4", "So 4."], "e": wrong}
    Path("rows.jsonl").write_text(json.dumps(row) + "\n")
    fields = {"question": "q", "steps": "s", "first_error": "e"}
    (found,) = imports.read("rows.jsonl", "columns", {"fields": fields})
    assert isinstance(found, Unreadable)
    assert "rows.jsonl:1: e" in found.reason
    assert "is not the number of a step: there are 2" in found.reason


def test_steps_of_a_table() -> None:
    Path("rows.csv").write_text(
        'q,gold,s,e\n1 + 2?,3,"[""1 + 2 = 4"", ""So 4.""]",0\n1 + 3?,4,"[\'a\']",0\n'
    )
    fields = {"question": "q", "answer": "gold", "steps": "s", "first_error": "e"}
    good, bad = imports.read("rows.csv", "columns", {"fields": fields})
    assert isinstance(good, Trace)
    assert good.evidence[0].verdicts == ("wrong", None)
    assert isinstance(bad, Unreadable)
    assert "rows.csv:3: column 's' holds a list that is not JSON" in bad.reason


MR_GSM8K = {
    "uuid": "u-1", "question": "1 + 2?", "ground_truth_answer": "3", "question_type": "original",
    "model_output_steps": ["1 + 2 = 4", "So 4."], "model_output_answer_correctness": "wrong",
    "model_output_solution_correctness": "wrong", "model_output_solution_first_error_step": 1,
}  # fmt: skip


def test_mr_gsm8k_as_it_is_published() -> None:
    rows = [
        MR_GSM8K,
        {**MR_GSM8K, "uuid": "u-2", "model_output_solution_first_error_step": "N/A"},
        {**MR_GSM8K, "uuid": "u-3", "model_output_solution_first_error_step": "N/A",
         "model_output_solution_correctness": "correct", "model_output_steps": [["1 + 2", "= 3"]],
         "model_output_answer_correctness": "correct"},
    ]  # fmt: skip
    Path("bench.json").write_text(json.dumps(rows, indent=1))
    output = ListOutput()
    asked = TakingIn("bench.json")
    asyncio.run(run_import(asked, output, RunOptions(quiet=True, store=None)))
    wrong, unknown, right = output.traces
    assert [t.id for t in output.traces] == ["u-1", "u-2", "u-3"]
    assert [t.correct for t in output.traces] == [False, False, True]
    assert wrong.evidence[0].verdicts == ("wrong", None)
    assert unknown.evidence == ()  # wrong somewhere, and nobody says where
    assert right.evidence[0].verdicts == ("right",)
    assert right.text == "1 + 2 = 3"


def test_big_bench_mistake_as_it_is_published() -> None:
    row = {"input": "Sort b a", "steps": ["b", "a"], "answer": "b a", "target": "a b"}
    wrong, right = took([{**row, "mistake_index": 1}, {**row, "mistake_index": None}])
    assert wrong.evidence[0].verdicts == ("right", "wrong")
    assert right.evidence[0].verdicts == ("right", "right")
    assert (wrong.correct, wrong.answer, wrong.problem.answer) == (False, "b a", "a b")


def test_columns_of_chats() -> None:
    turns = [
        {"role": "user", "content": "6 * 7?"},
        {"role": "assistant", "content": "So \\boxed{42}."},
    ]
    row = {"log": {"turns": turns}, "gold": 42, "n": 7}
    fields = {"messages": "log.turns", "answer": "gold", "id": "n"}
    (trace,) = took([row], "chat", fields=fields)
    assert (trace.id, trace.correct) == ("7", True)
    assert imports.layout_for(fields) == "chat"
    assert imports.layout_for({"steps": "s"}) == "columns"
    with pytest.raises(UsageError, match="did you mean 'messages'"):
        took([row], "chat", fields={"message": "log"})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"question": "problem", "response": "reponse"}, "did you mean 'response'"),
        ({"question": "q.text", "response": "response"}, "--fields q.text"),
        ({"question": "problem"}, "response=COLUMN"),
        ({"question": "problem", "stepps": "s"}, "did you mean 'steps'"),
    ],
)
def test_misspelt_columns_of_an_import_are_refused(fields: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as error:
        took([{"problem": "p", "response": "r", "answer": "1"}], "columns", fields=fields)
    assert says in str(error.value)


def test_it_is_said_at_once_where_nothing_tells_how_traces_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("rows.jsonl").write_text('{"problem": "p", "response": "r", "gold": 1}\n')
    for fields in (
        {},
        {"fields": {"question": "problem", "response": "response", "answer": "gold"}},
    ):
        asked = TakingIn("rows.jsonl", "columns", fields)
        asyncio.run(run_import(asked, ListOutput(), RunOptions(store=None)))
        said = "none of the first 1 traces has a gold answer" in capsys.readouterr().err
        assert said == (not fields)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**PROCESSBENCH, "label": 2}, "there are 2, numbered from 0"),
        ({**PROCESSBENCH, "label": True}, "not the number of a step"),
        ({**PROCESSBENCH, "steps": "one"}, "not a list"),
        ({**PROCESSBENCH, "problem": " "}, "empty"),
        ({**SHEPHERD, "label": SHEPHERD["label"].replace("+", "*")}, "label should be the input"),
        ({**SHEPHERD, "input": "No step ки", "label": "No step +"}, "Step 1"),
        (prm800k(7), "rating 7"),
        (prm800k(), "none of its steps is rated"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "need one from the user"),
        ({"problem": "x", "completions": ["", "y"]}, "response 1 is empty"),
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
