"""`prmdata judge` as a user runs it, with a server that only chats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import prmdata
from prmdata.cli import app
from prmdata.records import Evidence
from tests.judges.chat_server import ChatServer, chatting
from tests.judges.oracle import trace


def says_right(body: dict[str, Any]) -> str:
    user = body["messages"][-1]["content"]
    count = user.count("</step_")
    return "\n".join(json.dumps({"step": n + 1, "verdict": "right"}) for n in range(count))


def finds_second(body: dict[str, Any]) -> str:
    lines = says_right(body).splitlines()
    if len(lines) < 2:
        return ""
    return "\n".join([lines[0], lines[1].replace("right", "wrong")])


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    truth = Evidence("people", "truth", verdicts=("right", "wrong", None))
    prmdata.write("t.jsonl", [trace(n).with_evidence(truth) for n in range(4)])
    return "t.jsonl"


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["judge", *words])


def test_verdicts_are_added_once_and_served_again(given: str) -> None:
    with chatting(ChatServer(finds_second)) as server:
        words = (given, "--judge", server.url, "--set", "votes=2", "--store", "s")
        done = run(*words, "-o", "c.jsonl")
        assert done.exit_code == 0, done.stderr
        assert "8 judgements" in done.stderr
        assert "4 right, 4 wrong, 4 unknown" in done.stderr
        asked = len(server.asked)
        assert "is up to date" in run(*words, "-o", "c.jsonl").stderr
        assert run(*words, "-o", "again.jsonl").exit_code == 0
        assert len(server.asked) == asked  # the store answered
    first, again = Path("c.jsonl").read_bytes(), Path("again.jsonl").read_bytes()
    assert first == again
    replay = run(given, "--judge", "replay:s", "--set", "votes=2", "-o", "replayed.jsonl")
    assert replay.exit_code == 0, replay.stderr
    found = [t.evidence_named("critique") for t in prmdata.read("replayed.jsonl")]
    assert all(e is not None and e.first_wrong == 1 for e in found)


def test_a_shape_is_sent_where_the_server_takes_one(given: str) -> None:
    for structured in (True, False):
        with chatting(ChatServer(finds_second, structured=structured)) as server:
            words = (given, "--judge", server.url, "--set", "votes=1", "--store", "none")
            done = run(*words, "-o", f"{structured}.jsonl")
            assert done.exit_code == 0, done.stderr
            judged = [b for b in server.asked if '"ok"' not in str(b["messages"])]
            assert all(("response_format" in body) == structured for body in judged)


def test_several_prompts_give_several_pieces_of_evidence(given: str) -> None:
    for name in ("short", "long"):
        Path(f"{name}.md").write_text(f"--- user ---\n{name}: {{question}}\n{{steps}}\n")
    with chatting(ChatServer(finds_second)) as server:
        words = ("--prompts", "short.md,long.md", "--judge", server.url, "--store", "none")
        done = run(given, *words, "--set", "votes=1", "-o", "c.jsonl")
        assert done.exit_code == 0, done.stderr
    (first, *_) = prmdata.read("c.jsonl")
    names = [e.name for e in first.evidence if e.kind != "truth"]
    assert names == ["critique-short", "critique-long"]
    Path("bad.md").write_text("no fields")
    refused = run(given, "--prompt", "bad.md", "-o", "d.jsonl")
    assert refused.exit_code == 2
    assert "has no field {question}" in refused.stderr


def test_a_judge_that_fails_the_guard_is_refused(given: str) -> None:
    with chatting(ChatServer(says_right)) as server:
        words = ("--judge", server.url, "--set", "votes=1", "--store", "none")
        few = ("--guard", "--guard-problems", "2")
        alone = run(*few, *words, "--json")
        assert alone.exit_code == 1
        figures = json.loads(alone.stdout.splitlines()[0])
        assert figures["passes"] is False
        assert figures["false_positive_rate"] == 1.0
        refused = run(given, *few, *words, "-o", "c.jsonl")
        assert refused.exit_code == 1
        assert "does not pass the guard" in refused.stderr
        assert not Path("c.jsonl").exists()
        allowed = run(given, *few, *words, "--unguarded", "-o", "c.jsonl")
        assert allowed.exit_code == 0, allowed.stderr
        assert "calls right 100.0%" in allowed.stderr


def test_a_curve_tells_what_votes_cost(given: str) -> None:
    with chatting(ChatServer(finds_second)) as server:
        words = ("--judge", server.url, "--curve", "1,2", "--store", "none")
        done = run(given, *words, "--json")
        assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["votes"] for row in rows] == [1, 2]
    assert [row["exact"] for row in rows] == [1.0, 1.0]  # flat: it always says the same
    assert rows[1]["tokens"] == 2 * rows[0]["tokens"]
    assert run(given, "--judge", "chat:http://127.0.0.1:9/v1", "--curve", "x").exit_code != 0


def test_a_judge_must_be_named(given: str) -> None:
    refused = run(given, "-o", "c.jsonl")
    assert refused.exit_code == 2
    assert "name a judge" in refused.stderr
