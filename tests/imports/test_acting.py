"""Chats that act: all of their messages are kept, labels stand at their turns, and go back."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from prmdata.exports.messages import Messages
from prmdata.files import read_traces, rows, write_traces
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.import_traces import TakingIn, run_import

REAL = Path(os.environ.get("AGENTPROCESSBENCH", "hotpotqa.jsonl"))
"""The benchmark's own file, where a developer has it: it is not shipped."""


def call(
    number: int, name: str = "search", arguments: Any = '{"q": "x", "a": 1}'
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call-{number}", "type": "function", "function": function}


def tool(number: int, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"call-{number}", "name": "search", "content": content}


BENCH: dict[str, Any] = {
    "query_index": 3,
    "sample_index": 1,
    "data_source": "bench",
    "question": "Which city?",
    "ground_truth": {"target": ["Rome", "Roma"]},
    "answer_text": "Oslo",
    "final_label": -1,
    "messages": [
        {"role": "system", "content": "Be helpful."},
        {"role": "user", "content": "Answer. Which city?"},
        {"role": "assistant", "content": None, "tool_calls": [call(1), call(2, arguments="{")]},
        tool(1, "Rome is a city."),
        tool(2, "\x1b[31mno such tool\x1b[0m"),
        {"role": "assistant", "content": "I do not know.", "reasoning_content": "Hm."},
        {"role": "user", "content": "Try."},
        {"role": "assistant", "content": "<answer>Oslo</answer>"},
    ],
    "tools": [{"type": "function", "function": {"name": "search", "description": "finds"}}],
    "step_labels": {"2": 1, "5": 0, "7": -1},
}


def took(rows: list[dict[str, Any]], layout: str | None = None, **settings: Any) -> list[Trace]:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = ListOutput()
    asked = TakingIn("rows.jsonl", layout, settings)
    asyncio.run(run_import(asked, output, RunOptions(quiet=True, store=None)))
    return output.traces


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_step_is_a_turn_with_what_answered_it() -> None:
    (trace,) = took([BENCH])
    assert trace.id == "bench:3:1"
    assert trace.problem.golds == ("Rome", "Roma")
    assert trace.correct is False
    assert [step.kind for step in trace.steps] == ["tool_call", "thought", "answer"]
    assert [call["id"] for call in trace.steps[0].calls] == ["call-1", "call-2"]
    assert trace.steps[1].observation == "Try."
    assert trace.origin.tools == tuple(BENCH["tools"])
    assert "<think>\nHm.\n</think>" in trace.steps[1].text
    assert '"arguments": "{"' in trace.steps[0].text  # unparsable arguments stay as they are


def test_ternary_labels_keep_neutral_and_unjudged_apart() -> None:
    (trace,) = took([{**BENCH, "step_labels": {"2": 1, "5": 0}}])
    (truth,) = trace.evidence
    assert truth.kind == "truth"
    assert truth.rewards == (1.0, 0.0, None)
    assert truth.verdicts == ("right", "unknown", None)
    assert trace.labels is not None
    assert trace.labels.first_error is None


@pytest.mark.parametrize(
    ("labels", "reason"),
    [({"3": 1}, "no assistant's"), ({"2": 2}, "not 1, 0 or -1"), ([1], "an object")],
)
def test_labels_that_fit_no_turn_are_refused(labels: Any, reason: str) -> None:
    good = {**BENCH, "query_index": 4}
    Path("rows.jsonl").write_text(
        f"{json.dumps({**BENCH, 'step_labels': labels})}\n{json.dumps(good)}"
    )
    from prmdata import imports
    from prmdata.files import Unreadable

    first, second = imports.read("rows.jsonl", None, {})
    assert isinstance(first, Unreadable)
    assert reason in first.reason
    assert isinstance(second, Trace)


def exported(traces: list[Trace]) -> list[dict[str, Any]]:
    form = Messages()
    return [form.line(row) for trace in traces for row in form.rows([trace])]


def test_the_messages_go_back_as_they_came() -> None:
    names = ("messages", "tools", "step_labels", "ground_truth", "final_label", "answer_text")
    (row,) = exported(took([BENCH]))
    assert json.dumps({n: row[n] for n in names}) == json.dumps({n: BENCH[n] for n in names})


def test_acting_traces_go_round_through_parquet_unchanged() -> None:
    traces = took([BENCH])
    for name in ("t.jsonl", "t.parquet", "again.jsonl"):
        write_traces(name, iter(traces))
        traces = [t for t in read_traces(name) if isinstance(t, Trace)]
    assert Path("t.jsonl").read_bytes() == Path("again.jsonl").read_bytes()


def test_a_chat_in_which_the_user_speaks_again_is_read() -> None:
    chat = [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "6 * 7?"},
        {"role": "assistant", "content": "The answer is 42."},
    ]
    (trace,) = took([{"messages": chat, "answer": "42"}])
    assert trace.correct
    assert [step.observation for step in trace.steps] == ["6 * 7?", None]
    assert exported([trace])[0]["messages"] == chat


def test_the_answer_is_read_from_the_last_turn_alone() -> None:
    """A trace that ends in a call has no answer, whatever its observations say."""
    messages = BENCH["messages"][:5]
    (trace,) = took([{"messages": messages, "answer": "Rome"}], layout="chat")
    assert trace.answer is None
    assert trace.correct is None


def test_turns_are_cut_finer_by_choice() -> None:
    chat = [
        *BENCH["messages"][:-1],
        {"role": "assistant", "content": "One.\nTwo.\nThe answer is 3."},
    ]
    (trace,) = took([{"messages": chat, "answer": "3"}], layout="chat", steps="lines")
    assert [step.text for step in trace.steps[-3:]] == ["One.\n", "Two.\n", "The answer is 3."]
    assert exported([trace])[0]["messages"] == chat


def test_messages_and_tools_may_be_json_text() -> None:
    """As columns of mixed objects stand in many tables."""
    cells = {
        "messages": [json.dumps(message) for message in BENCH["messages"]],
        "tools": json.dumps(BENCH["tools"]),
    }
    (trace,) = took([cells], layout="chat")
    assert exported([trace])[0]["messages"] == BENCH["messages"]
    assert trace.origin.tools == tuple(BENCH["tools"])


@pytest.mark.skipif(not REAL.exists(), reason="AGENTPROCESSBENCH names no file of it")
def test_the_benchmark_is_taken_in_whole_and_given_back() -> None:
    source = [row for row, _ in rows.read(str(REAL)) if isinstance(row, dict)]
    output = ListOutput()
    asyncio.run(run_import(TakingIn(str(REAL)), output, RunOptions(quiet=True, store=None)))
    back = {row["trace_id"]: row for row in exported(output.traces)}
    assert len(back) == len(source) == 250
    for row in source:
        own = back[f"{row['data_source']}:{row['query_index']}:{row['sample_index']}"]
        for name in ("messages", "tools", "step_labels", "ground_truth", "final_label"):
            assert json.dumps(own[name]) == json.dumps(row[name])


def test_gold_calls_of_a_row_are_what_tool_match_compares_with() -> None:
    from prmdata.verifiers.tool_match import ToolMatch

    gold = [{"name": "search", "arguments": {"a": 1.0, "q": "x"}}]
    for column in ({"calls": gold}, {"context": {"calls": gold}}, {"calls": json.dumps(gold)}):
        (trace,) = took([{"messages": BENCH["messages"], **column}], layout="chat")
        first = next(iter(asyncio.run(ToolMatch().verify(trace))))
        assert first.verdict == "wrong"  # its second call is left over
        assert first.reward == 0.5
    (named,) = took(
        [{"messages": BENCH["messages"], "gold": gold}], fields={"calls": "gold"}, layout="chat"
    )
    assert named.problem.context == {"calls": gold}
