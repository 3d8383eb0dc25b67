"""Sessions of coding agents through the real parser, the one that `datasets` calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prmdata import imports
from prmdata.files import Unreadable
from prmdata.records import Trace
from tests.imports import sessions
from tests.trainers.exports import needs

AGENTS = (sessions.claude_code, sessions.codex, sessions.pi)


def written(path: Path, events: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return str(path)


class TestSessions:
    pytestmark = needs("teich")

    @pytest.mark.parametrize("events", AGENTS, ids=lambda agent: agent.__name__)
    def test_a_session_is_a_trace_that_acts(
        self, events: Callable[[], list[dict[str, Any]]], tmp_path: Path
    ) -> None:
        path = written(tmp_path / "session.jsonl", events())
        [trace] = imports.read(path, "sessions", {})
        assert isinstance(trace, Trace)
        assert trace.problem.question == sessions.ASKED
        first, last = trace.steps
        [call] = first.calls
        assert "ls" in str(call["arguments"])
        assert first.observation == sessions.FOUND
        assert sessions.DONE in last.text
        assert trace.problem.meta["source"] == "sessions"

    @pytest.mark.parametrize("events", AGENTS[1:], ids=lambda agent: agent.__name__)
    def test_the_same_as_datasets_gives(
        self, events: Callable[[], list[dict[str, Any]]], tmp_path: Path
    ) -> None:
        """`datasets` finds the messages; read from its rows or from the file, the chat is one."""
        datasets = pytest.importorskip("datasets", minversion="5")
        path = written(tmp_path / "session.jsonl", events())
        [row] = datasets.load_dataset(
            "json", data_files=path, split="train", cache_dir=str(tmp_path)
        )
        theirs = written(tmp_path / "rows.jsonl", [{n: row[n] for n in ("messages", "tools")}])
        [ours] = imports.read(path, "sessions", {})
        [other] = imports.read(theirs, "chat", {})
        assert isinstance(ours, Trace)
        assert isinstance(other, Trace)
        assert ours.steps == other.steps
        assert ours.origin.tools == other.origin.tools

    def test_a_folder_is_read_file_by_file_and_a_bad_file_says_why(self, tmp_path: Path) -> None:
        for agent in AGENTS:
            written(tmp_path / f"{agent.__name__}.jsonl", agent())
        (tmp_path / "bad.jsonl").write_text('{"type": "user", \n\0\n', encoding="utf-8")
        (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
        found = list(imports.read(str(tmp_path), "sessions", {}))
        unreadable = [one for one in found if isinstance(one, Unreadable)]
        assert len(found) - len(unreadable) == 3
        assert {Path(one.where).name for one in unreadable} == {"bad.jsonl", "empty.jsonl"}
        ids = [trace.id for trace in found if isinstance(trace, Trace)]
        assert len(set(ids)) == 3
