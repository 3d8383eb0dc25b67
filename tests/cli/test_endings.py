"""However a run ends: what was spent and done is counted, and the way on is named."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.warm import TREE, program


def rows(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.mark.slow
def test_a_budget_is_exceeded_by_less_than_one_call(shell) -> None:
    """The longest call of these has 64 tokens."""
    shell("prmdata generate abacus:12 -n 4 -o t.jsonl")
    words = "--sampler abacus --store none --max-tokens 64 --max-tokens-total 500"
    done = shell(f"prmdata label t.jsonl -o l.jsonl {words} --summary s.json")
    assert done.returncode == 1
    summary = json.loads(Path("s.json").read_text())
    assert 500 <= summary["tokens_spent"] < 500 + 8 * 64
    assert summary["ending"] == "over budget"
    assert summary["left"] == 48 - summary["traces"]
    assert summary["over_budget"] > 0
    assert "run the same command again: finished problems are kept" in done.stderr
    assert "(over budget: not complete)" in done.stderr


def test_a_summary_is_written_where_too_many_items_fail(prmdata) -> None:
    Path("p.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n{oops\n')
    done = prmdata("generate", "p.jsonl", "-o", "t.jsonl", "--summary", "s.json")
    assert done.returncode == 1
    summary = json.loads(Path("s.json").read_text())
    assert (summary["ending"], summary["failed"]) == ("failed", 2)


@pytest.mark.slow
def test_one_interrupt_is_acknowledged_and_ends_the_run() -> None:
    """The embedded model takes minutes for so many."""
    words = [sys.executable, "-m", "prmdata", "generate", "abacus:200", "-n", "64"]
    process = subprocess.Popen(
        [*words, "-o", "t.jsonl", "--store", "none", "--summary", "s.json", "-v"],
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TREE)},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "waiting for" in line:
            break
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert time.monotonic() - started < 25
    assert "stopping: " in said
    assert json.loads(Path("s.json").read_text())["ending"] == "interrupted"


def test_the_closing_line_as_json(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 -o t.jsonl --json")
    summary = json.loads(done.stderr.splitlines()[-1])
    assert (summary["stage"], summary["ending"], summary["traces"]) == ("generate", "complete", 48)


def test_traces_of_other_problems_need_a_model_that_is_named(prmdata, shell) -> None:
    shell("prmdata generate abacus:12 -n 4 -o t.jsonl")
    other = [{**row, "problem": {**row["problem"], "meta": {}}} for row in rows("t.jsonl")]
    Path("o.jsonl").write_text("".join(json.dumps(row) + "\n" for row in other))
    Path("p.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    for line in ("label o.jsonl", "estimate o.jsonl", "generate p.jsonl", "fit o.jsonl"):
        done = shell(f"unset PRMDATA_SAMPLER; prmdata {line} -o out.jsonl")
        assert done.returncode == 2, line
        assert "the embedded model serves abacus problems only" in done.stderr
        assert not Path("out.jsonl").exists()
    done = shell("unset PRMDATA_SAMPLER; prmdata label o.jsonl --method outcome -o out.jsonl")
    assert "embedded" not in done.stderr
    few = "--limit 1 --set rollouts_per_probe=1 --method bisect --store none"
    done = shell(f"unset PRMDATA_SAMPLER; prmdata label o.jsonl --sampler abacus {few} -o l.jsonl")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("generate -", "problems"),
        ("import -", "rows"),
        ("grade", "rows"),
        ("label", "traces"),
        ("choose - --rollouts 2", "traces"),
        ("merge a.jsonl -", "traces"),
        ("report - -o r.html", "traces"),
        ("show", "traces"),
    ],
)
def test_who_reads_from_the_keyboard_says_so(
    words: str, what: str, surroundings: dict[str, str]
) -> None:
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [*program(), *words.split()],
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings,
    )
    assert process.stderr is not None
    assert f"reading {what} from the terminal; name a file, or end with Ctrl-D" in (
        process.stderr.readline()
    )
    os.write(keyboard, b"\x04")
    process.stderr.read()
    assert process.wait() is not None
    process.stderr.close()
    os.close(keyboard)
    os.close(terminal)
