"""Records whose every text steers terminals: no command passes any of it on."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.test_terminal import STEERS
from tests.warm import program

EVIL = "\x1b[2J\x1b]0;t\x07\x9b31m\r[bold red]X[/bold red][/] \u202e\x00"


def hostile(number: int) -> dict[str, Any]:
    problem = {"id": f"p{EVIL}{number}", "question": EVIL, "answer": EVIL, "meta": {"source": EVIL}}
    evidence = [
        {"name": f"e{EVIL}", "kind": "verdicts", "verdicts": ["wrong"], "notes": [EVIL]},
        {"name": f"v{EVIL}", "kind": "scores", "values": [0.5]},
    ]
    return {
        "id": f"t{EVIL}{number}",
        "problem": problem,
        "steps": [{"text": EVIL}],
        "answer": EVIL,
        "correct": False,
        "origin": {"model": EVIL, "sampler": EVIL, "template": EVIL},
        "evidence": evidence,
        "labels": {"by": f"b{EVIL}", "first_error": 0, "values": [0.0], "confidence": 0.5},
    }


@pytest.fixture(autouse=True)
def files() -> None:
    rows = [json.dumps(hostile(i)) for i in range(3)]
    Path("t.jsonl").write_text("\n".join(rows) + "\n")
    Path("failed.jsonl").write_text(json.dumps({**hostile(0), "error": EVIL}) + "\n")
    Path("broken.jsonl").write_text('{"id": "x", "\\u001b[31m": ' + json.dumps(EVIL) + "\n")


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        "show t.jsonl -n 3",
        "show failed.jsonl",
        "show t.jsonl --id none\x1b[31m\u202e",
        "stats t.jsonl",
        "stats broken.jsonl",
        "score t.jsonl --truth t.jsonl",
        "verify t.jsonl -o v.jsonl",
        "label t.jsonl --method threshold -o l.jsonl",
        "export t.jsonl -o out",
        "export t.jsonl --preview",
        "audit t.jsonl -o a.jsonl",
    ],
)
def test_no_command_passes_on_what_steers(words: str, colour: bool) -> None:
    env = {**os.environ, "COLUMNS": "120", "TERM": "xterm-256color"}
    env |= {"FORCE_COLOR": "1"} if colour else {"NO_COLOR": "1"}
    arguments = words.split(" ", 4)
    done = subprocess.run(
        [*program(), *arguments],
        input=b"q\n",
        capture_output=True,
        env=env,
        timeout=120,
    )
    shown = (done.stdout + done.stderr).decode()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown) if colour else shown
    assert "Traceback" not in shown
    assert not STEERS.search(plain.replace("\\u", "")), shown
