"""The report as a user asks for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.cli.test_bad_input import refused
from tests.report.page.test_gathering import block


def labelled(prmdata) -> None:
    assert prmdata("generate", "abacus:12", "-n", "4", "-o", "t.jsonl").returncode == 0
    assert prmdata("label", "t.jsonl", "-o", "l.jsonl").returncode == 0


def test_a_report_with_truth_and_the_texts_of_rollouts(prmdata, recorded: str) -> None:
    labelled(prmdata)
    done = prmdata("report", "l.jsonl", "--truth", "abacus", "--rollouts", recorded)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "48 traces of 12 problems → report.html" in done.stderr
    assert "not in the store" not in done.stderr
    html = Path("report.html").read_text()
    assert block(html, "facts")["files"][0]["score"]["of"] == 48
    done = prmdata(
        "report", "l.jsonl", "--rollouts", recorded, "--rollout-seed", "7", "-o", "r.html"
    )
    assert "rollouts are not in the store" in done.stderr


def test_the_files_of_a_folder_are_one(prmdata) -> None:
    labelled(prmdata)
    assert prmdata("label", "t.jsonl", "-o", "parts/").returncode == 0
    done = prmdata("report", "l.jsonl", "parts/", "-o", "r.html")
    assert "48 traces of 12 problems" in done.stderr


def test_usage(prmdata) -> None:
    Path("empty.jsonl").write_text("")
    refused(prmdata("report", "empty.jsonl"), 1, "is empty")
    refused(prmdata("report", "gone.jsonl"), 1, "gone.jsonl")
    refused(prmdata("report", "empty.jsonl", "-o", "empty.jsonl"), 2, "no report of prmdata")
    refused(prmdata("report", "-", "-", stdin=""), 2, "only one")
    assert sorted(path.name for path in Path().glob("*.html")) == []


def test_a_server_answers_until_it_is_stopped(prmdata) -> None:
    Path("t.jsonl").write_text(
        json.dumps({"id": "p/0", "problem": {"id": "p", "question": "?"}, "steps": [{"text": "x"}]})
    )
    words = [sys.executable, "-m", "prmdata", "report", "t.jsonl", "--serve", "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = next(line for line in server.stderr if "http://" in line)
        address = line.split("→ ")[1].split()[0]
        with urllib.request.urlopen(address) as answer:
            assert b"prmdata" in answer.read(500)
        server.send_signal(signal.SIGINT)
        assert "Traceback" not in server.stderr.read()
        assert server.wait(20) == 130
