"""Chats with tools in rows: nothing of a turn is lost, or the trace is left out and counted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prmdata.dataset.rows import write_rows
from prmdata.dataset.selection import Selection
from prmdata.dataset.sieve import Sieve
from prmdata.exports import FORMATS
from prmdata.records import Evidence, Labels, Origin, Problem, Trace
from prmdata.registry import make
from prmdata.turns import steps_of

TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
ACTING = {"records", "messages", "atif", "verifiers", "credit", "stepwise", "rl"}
WITH_LAYOUT = {"sft", "pairs", "kto"}


def agent(name: str, last: str, *, answers: str = "found", **more: Any) -> Trace:
    """Two calls and an answer; traces differ in the second call."""
    messages: list[dict[str, Any]] = []
    for number, query in enumerate(("start", last)):
        call = {"name": "find", "arguments": json.dumps({"q": query})}
        messages += [
            {"role": "assistant", "content": f"Look {number}.",
             "tool_calls": [{"id": f"c{number}", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": f"c{number}", "name": "find",
             "content": f"{answers} {query}"},
        ]  # fmt: skip
    messages.append({"role": "assistant", "content": f"It is {last}."})
    origin = Origin(messages=({"role": "user", "content": "Where?"},), tools=(TOOL,))
    return Trace(
        name, Problem("p", "Where?", "right"), steps_of(messages), origin=origin, **more
    )  # fmt: skip


def labelled(trace: Trace, first: int | None) -> Trace:
    labels = Labels("bisect", first, (1.0, 1.0, 1.0) if first is None else (1.0, 0.0, None))
    return replace(trace, labels=labels, correct=first is None)


RIGHT, WRONG = labelled(agent("r", "right"), None), labelled(agent("w", "wrong"), 1)


def rows(name: str, traces: list[Trace], **settings: Any) -> list[dict[str, Any]]:
    form = make(FORMATS, name, settings)
    group = traces if form.grouped else [traces[0]]
    return list(form.rows(group))


def test_pairs_keep_what_tools_answered_in_the_prompt() -> None:
    [row] = rows("pairs", [RIGHT, WRONG], layout="tools", unexamined="keep")
    assert [turn["role"] for turn in row["prompt"]] == ["user", "assistant", "tool"]
    assert row["prompt"][2]["content"] == "found start"
    assert row["prompt"][2]["tool_call_id"] == "c0"
    for side, query in (("chosen", "right"), ("rejected", "wrong")):
        [turn] = row[side]
        assert turn["content"] == "Look 1."
        assert json.loads(turn["tool_calls"][0]["function"]["arguments"]) == {"q": query}
    assert json.loads(row["tools"]) == [TOOL]


def test_steps_pair_only_where_tools_answered_alike() -> None:
    from prmdata.exports.contract import LeftOut

    elsewhere = labelled(agent("r", "right", answers="nothing at"), None)
    with pytest.raises(LeftOut):
        rows("pairs", [elsewhere, WRONG], layout="tools")


def test_whole_chats_are_pairs_and_examples_too() -> None:
    [row] = rows("pairs", [RIGHT, WRONG], layout="tools", kind="outcome")
    assert [turn["role"] for turn in row["prompt"]] == ["user"]
    whole = ["assistant", "tool", "assistant", "tool", "assistant"]
    assert [turn["role"] for turn in row["chosen"]] == whole
    assert row["rejected"][-1]["content"] == "It is wrong."
    [example] = rows("sft", [RIGHT], layout="tools")
    assert [turn["role"] for turn in example["messages"]] == ["user", *whole]
    [liked] = rows("kto", [WRONG], layout="tools")
    assert [turn["role"] for turn in liked["completion"]] == whole
    assert liked["label"] is False


def test_a_reward_model_reads_what_tools_answered() -> None:
    [row] = rows("stepwise", [WRONG])
    assert row["completions"][0].endswith("\n<tool_response>\nfound start\n</tool_response>")
    assert row["labels"] == [1, 0, -100]


class Kept(list[dict[str, Any]]):
    write = list.append


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_writes_half_a_turn(name: str) -> None:
    """A layout without a place for calls and results leaves the trace out, and says so."""
    form, counts, sink = make(FORMATS, name, {}), Counter[str](), Kept()
    evidence = Evidence(
        "mc", "rollouts", values=(1.0, 0.0, None), hits=(4, 0, 0), rollouts=(4, 4, 0)
    )
    given = [replace(t, evidence=(evidence,)) for t in (RIGHT, WRONG)]
    write_rows(given, form, Selection(), {"train": sink}, counts, Sieve(Selection()))
    left = sum(n for reason, n in counts.items() if "chat with tools" in reason)
    assert left == (0 if name in ACTING else 2)
    if name not in ACTING:
        assert not sink


@pytest.mark.parametrize("name", sorted(WITH_LAYOUT))
def test_rows_with_tools_go_through_parquet(name: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from prmdata.files import write_traces

    write_traces(str(tmp_path / "l.jsonl"), [RIGHT, WRONG])
    line = [sys.executable, "-m", "prmdata", "export", str(tmp_path / "l.jsonl"), "--to", name]
    line += ["--set", "layout=tools", "-o", str(tmp_path / "out")]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [file] = (tmp_path / "out" / "data").glob("*.parquet")
    [row, *_] = pq.read_table(file).to_pylist()
    assert "start" in str(row)
    assert json.loads(row["tools"]) == [TOOL]
