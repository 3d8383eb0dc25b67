"""Standard files that are closed: a message and exit code 1, never a traceback or a lost line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROW = {"id": "p/0", "problem": {"id": "p", "question": "?"}, "steps": [{"text": "x"}]}


@pytest.fixture(autouse=True)
def traces() -> None:
    Path("t.jsonl").write_text(json.dumps(ROW) + "\n")


@pytest.mark.parametrize("command", ["stats t.jsonl", "verify t.jsonl", "show t.jsonl", "methods"])
def test_nothing_is_printed_into_a_closed_stdout(shell, command: str) -> None:
    done = shell(f"prmdata {command} >&-")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "standard output" in done.stderr


def test_a_closed_stdout_is_no_hindrance_where_a_file_is_written(shell) -> None:
    done = shell("prmdata verify t.jsonl -o v.jsonl >&-")
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("v.jsonl").read_text())["id"] == "p/0"


@pytest.mark.parametrize("command", ["stats -", "verify", "label", "export -o out"])
def test_a_closed_stdin_is_one_message(shell, command: str) -> None:
    done = shell(f"prmdata {command} <&-")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "standard input" in done.stderr


def test_messages_for_a_closed_stderr_never_reach_stdout_or_a_file(shell) -> None:
    done = shell("prmdata verify none.jsonl 2>&-")
    assert (done.returncode, done.stdout) == (1, "")
    done = shell("prmdata verify t.jsonl -o v.jsonl 2>&-")
    assert (done.returncode, done.stdout) == (0, "")
    assert Path("v.jsonl").read_text().count("\n") == 1
