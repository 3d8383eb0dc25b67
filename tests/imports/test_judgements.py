"""What judges said elsewhere becomes evidence; what people said stays truth; broken rows say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import prmdata
from prmdata import imports
from prmdata.cli import app
from prmdata.errors import UsageError
from prmdata.files import Unreadable
from prmdata.labellers.contract import detections
from prmdata.labellers.weaver import Weaver
from prmdata.records import Trace
from prmdata.stages.panel import pooled
from tests.labellers.fusion.panels import Simulated, traces

ROW: dict[str, Any] = {
    "id": "search:4:1", "dataset": "search", "query_index": 4,
    "step_labels": {"2": 1, "4": 0, "6": -1},
    "judges": {
        "One ": {"steps": {"2": 1, "4": 1, "6": -1}, "final": -1},
        "Two": {"steps": {"2": 0, "4": None}, "final": 1},
        "Three+4": {"steps": None, "final": None},
    },
}  # fmt: skip


def took(tmp_path: Path, *rows: dict[str, Any], **settings: Any) -> list[Trace | Unreadable]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(imports.read(str(path), None, settings))


def test_verdicts_of_judges_are_evidence_and_labels_of_people_truth(tmp_path: Path) -> None:
    (trace,) = took(tmp_path, ROW)
    assert isinstance(trace, Trace)
    assert trace.id == "search:4:1"
    assert len(trace.steps) == 3
    assert trace.labels is None
    one, two, three, truth = trace.evidence
    assert (one.name, one.kind, one.checked_by) == ("One", "verdicts", "judge")
    assert one.verdicts == ("right", "right", "wrong")
    assert one.settings == {"final": "wrong"}
    assert two.verdicts == ("unknown", None, None)
    assert two.settings == {"final": "right"}
    assert (three.name, three.verdicts) == ("Three 4", (None, None, None))
    assert truth.kind == "truth"
    assert truth.verdicts == ("right", "right", "wrong")  # looked at, and not found wrong
    assert detections(trace) == [3]


def test_critics_may_name_the_first_wrong_step_alone(tmp_path: Path) -> None:
    row = {"problem": "1 + 1?", "steps": ["1 + 1 = 3", "So 3."], "label": 0}
    (trace,) = took(tmp_path, {**row, "judges": {"a": 1, "b": -1, "c": [1, -1]}})
    assert isinstance(trace, Trace)
    assert [e.verdicts for e in trace.evidence] == [
        ("right", "wrong"), ("right", "right"), ("right", "wrong"), ("wrong", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"judges": {"a": {"steps": {"2": 5}}}}, "is no verdict"),
        ({"judges": {"a": {"steps": {"2": True}}}}, "is no verdict"),
        ({"judges": {"a": {"steps": {"9": 1}}}}, "speaks of step '9'"),
        ({"judges": {"a": {"steps": [1, 1]}}}, "2 verdicts for 3 steps"),
        ({"judges": {"a": {"steps": "all"}}}, "neither a list"),
        ({"judges": {"a": {}, " a": {}}}, "two judges are called 'a'"),
        ({"judges": {" ": {}}}, "has no name"),
        ({"judges": {"a": 7}}, "not the number of a step"),
        ({"step_labels": {}}, "names no step"),
        ({"step_labels": {"2": 7, "4": 0, "6": -1}}, "is no verdict"),
    ],
)
def test_broken_rows_say_why(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    _, found = took(tmp_path, ROW, {**ROW, **change})
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_texts_come_from_a_file_of_messages(tmp_path: Path) -> None:
    call = {"function": {"name": "search", "arguments": '{"q": "x"}'}}
    messages = [
        {"role": "system", "content": "s"}, {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "Look. ", "tool_calls": [call]},
        {"role": "tool", "content": "Paris"},
        {"role": "assistant", "content": "Again."}, {"role": "user", "content": "?"},
        {"role": "assistant", "content": "Paris."},
    ]  # fmt: skip
    chat = {"data_source": "search", "query_index": 4, "sample_index": 1, "messages": messages}
    (tmp_path / "chats.jsonl").write_text(json.dumps(chat) + "\n")
    (trace,) = took(tmp_path, ROW, traces_file=str(tmp_path / "chats.jsonl"))
    assert isinstance(trace, Trace)
    assert trace.problem.question == "Where?"
    assert [step.text[:6] for step in trace.steps] == ["Look. ", "Again.", "Paris."]
    assert trace.steps[0].kind == "tool_call"
    assert trace.steps[0].result == "Paris"
    other = {**ROW, "id": "search:9:9"}
    _, missing = took(tmp_path, ROW, other, traces_file=str(tmp_path / "chats.jsonl"))
    assert isinstance(missing, Unreadable)
    assert "holds no messages of 'search:9:9'" in missing.reason


def as_row(trace: Trace, first: int | None) -> dict[str, Any]:
    number = {"right": 1, "wrong": -1, "unknown": 0}
    truth = {str(s): -1 if s == first else 1 for s in range(len(trace.steps))}
    judges = {
        e.name: {"steps": {str(s): number[v or "unknown"] for s, v in enumerate(e.verdicts)}}
        for e in trace.evidence
    }
    return {"id": f"w:{trace.problem.id}:{trace.id}", "dataset": "w",
            "query_index": trace.problem.id, "step_labels": truth, "judges": judges}  # fmt: skip


def test_from_recorded_judgements_to_a_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    judges = [Simulated("a", 0.05, 0.7), Simulated("b", 0.05, 0.7), Simulated("c", 0.1, 0.8)]
    given, firsts = traces(judges, 120, seed=1)
    rows = [json.dumps(as_row(t, firsts[t.id])) for t in given]
    Path("rows.jsonl").write_text("\n".join(rows) + "\n")
    run = CliRunner()

    def command(*words: str) -> Any:
        done = run.invoke(app, words)
        assert done.exit_code == 0, done.stderr
        return done

    command("import", "rows.jsonl", "--from", "judgements", "-o", "j.jsonl")
    command("label", "j.jsonl", "--method", "weaver", "-o", "w.jsonl")
    scored = json.loads(command("score", "w.jsonl", "--truth", "rows.jsonl", "--json").stdout)
    assert scored["traces"] == 120
    assert scored["exact"] > 0.6
    assert scored["with_confidence"] == 120
    fitted = command("fit", "j.jsonl", "--weaver", "--truth", "rows.jsonl", "-o", "t.json")
    assert "120 traces audited" in fitted.stderr
    command("label", "j.jsonl", "--method", "weaver", "--set", "table=t.json", "-o", "v.jsonl")
    labels = [t.labels for t in prmdata.read("v.jsonl")]
    assert all(label and label.by == "weaver" for label in labels)
    with pytest.raises(UsageError, match="a stream passes once"):
        pooled(Weaver(), None, print)
