"""ATIF and verifiers, made by the real packages: taken in, labelled, written back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prmdata import imports
from prmdata.exports.atif import Atif
from prmdata.exports.contract import LeftOut
from prmdata.exports.verifiers import Verifiers
from prmdata.files import Unreadable, read_traces, write_traces
from prmdata.records import Evidence, Labels, Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.import_traces import TakingIn, run_import

HERE = Path(__file__).parent / "agents"
ATIF, VERIFIERS = HERE / "atif.jsonl", HERE / "verifiers.jsonl"


def took(path: Path) -> list[Trace]:
    output = ListOutput()
    asked = TakingIn(str(path))
    asyncio.run(run_import(asked, output, RunOptions(quiet=True, store=None)))
    return output.traces


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def labelled(trace: Trace, first: int, rewards: tuple[float, ...]) -> Trace:
    values = tuple(1.0 if i < first else 0.0 for i in range(len(trace.steps)))
    labels = Labels(by="bisect", first_error=first, values=values, confidence=0.75)
    return replace(
        trace.with_evidence(Evidence("credit", "scores", rewards=rewards)), labels=labels
    )


def test_a_trajectory_becomes_turns_and_copied_context_is_left_out() -> None:
    new, old = sorted(took(ATIF), key=lambda trace: trace.id == "old")
    assert new.id == "t1"
    assert new.problem.question == "Make the tests pass."
    assert [step.text.splitlines()[-1] for step in new.steps] == [
        "</tool_call>",
        "</tool_call>",
        "Done.",
    ]
    assert [call["name"] for call in new.steps[0].calls] == ["bash", "bash"]
    assert [m["role"] for m in new.steps[0].messages] == ["assistant", "tool", "tool"]
    assert new.steps[1].messages[1] == {"role": "user", "content": "written"}
    assert new.origin.tools[0]["function"]["name"] == "bash"
    assert [step.text for step in old.steps] == ["A."]


def test_labels_go_back_into_the_trajectory_and_nothing_else_changes() -> None:
    (source, *_) = lines(ATIF)
    trace = next(t for t in took(ATIF) if t.id == "t1")
    (row,) = Atif().rows([labelled(trace, 1, (0.5, -0.25, 0.0))])
    told = [(s.get("extra") or {}).get("prmdata") for s in row["steps"]]
    assert told == [
        None,
        None,
        {"label": 1, "value": 1.0, "reward": 0.5},
        None,
        {"label": -1, "value": 0.0, "reward": -0.25},
        {"value": 0.0, "reward": 0.0},
    ]
    assert row["steps"][4]["extra"]["mine"] == 1
    assert row["extra"]["prmdata"]["first_error"] == 5  # its step_id
    assert Atif().row(trace) == source  # without labels, the document as it was


def test_a_trials_reward_says_how_it_ended(tmp_path: Path) -> None:
    (source, *_) = lines(ATIF)
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({**source, "verifier_result": {"rewards": {"reward": 0.5}}}))
    (trace,) = took(path)
    assert (trace.correct, trace.score) == (False, 0.5)
    several = {**source, "verifier_result": {"rewards": {"a": 1, "b": 0}}}
    path.write_text(json.dumps(several))
    (unread,) = imports.read(str(path), None, {})
    assert isinstance(unread, Unreadable)
    assert "--set reward=NAME" in unread.reason
    (named,) = imports.read(str(path), "atif", {"reward": "a"})
    assert isinstance(named, Trace)
    assert named.correct


def test_a_trajectory_may_spread_over_lines_in_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(lines(ATIF)[0], indent=2))
    assert [trace.id for trace in took(path)] == ["t1"]


def test_branches_of_a_graph_become_traces_of_one_problem() -> None:
    traces = took(VERIFIERS)
    assert [trace.id for trace in traces] == ["v1.4", "v1.5"]
    assert len({trace.problem.id for trace in traces}) == 1
    assert traces[0].problem.answer == "42"
    assert traces[0].steps[0].observation == "42"
    assert [trace.score for trace in traces] == [1.0, 1.0]
    assert traces[0].origin.tools[0]["function"]["name"] == "calc"


def test_credit_goes_back_to_every_sampled_token() -> None:
    (source,) = lines(VERIFIERS)[0]["traces"]
    first, second = took(VERIFIERS)
    made = [labelled(first, 1, (0.5, -1.0)), labelled(second, 1, (1.0, 0.25))]
    (row,) = Verifiers().rows(made)
    assert [node.get("advantages") for node in row["nodes"]] == [
        None,
        None,
        [0.75] * 3,  # the mean over both branches
        None,
        [-1.0] * 2,
        [0.25],
    ]
    told = row["info"]["prmdata"]
    assert told["4"]["step_labels"] == {"2": 1, "4": -1}
    assert told["5"]["first_error"] == 5
    assert row["info"]["k"] == 1
    without = {**row, "info": source["info"], "nodes": source["nodes"]}
    assert without == source


def test_the_document_goes_round_through_parquet(tmp_path: Path) -> None:
    for path in (ATIF, VERIFIERS):
        traces = took(path)
        write_traces(str(tmp_path / "t.parquet"), iter(traces))
        assert list(read_traces(str(tmp_path / "t.parquet"))) == traces


def test_what_came_from_elsewhere_is_left_out() -> None:
    for form in (Atif(), Verifiers()):
        with pytest.raises(LeftOut):
            list(
                form.rows([replace(took(ATIF)[0], origin=replace(took(ATIF)[0].origin, source={}))])
            )


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": []}, {"nodes": [{"parent": 3, "message": {"role": "user", "content": "?"}}]},
        {"nodes": [{"parent": None, "message": {"role": 3}}]}, {"nodes": [{"parent": None}]},
        {"nodes": [{"parent": None, "message": {"role": "user", "content": "?"}}]},
    ],
)  # fmt: skip
def test_a_broken_graph_says_what_is_wrong(change: dict[str, Any], tmp_path: Path) -> None:
    (source,) = lines(VERIFIERS)[0]["traces"]
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({**source, **change}))
    (unread,) = imports.read(str(path), None, {})
    assert isinstance(unread, Unreadable)
