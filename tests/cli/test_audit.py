"""Auditing as a person does it, through a real terminal, and down a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.records import Labels, Problem, Step, Trace
from tests.warm import command

WORDS = [sys.executable, "-m", "prmdata", "audit"]


@pytest.fixture(autouse=True)
def labelled(own_place: None) -> None:
    """Six traces; the true first error of `n?` is step n, of the sixth none."""
    traces = []
    for number in range(1, 7):
        steps = tuple(Step(f"said {number}-{i} \x1b[2J\n") for i in range(1, 7))
        labels = Labels("secretive", 2, (1.0, 1.0, 0.0, 0.0, 0.0, 0.0))
        problem = Problem(f"p{number}", f"{number}?", "7")
        traces.append(Trace(f"p{number}/0", problem, steps, "8", number == 6, labels=labels))
    write_traces("l.jsonl", traces)


def piped(answers: str, *words: str) -> subprocess.CompletedProcess[str]:
    return command("audit", "l.jsonl", *words, given=answers)


def truth(path: str = "l.truth.jsonl") -> dict[str, int | None]:
    """The last answer of each problem."""
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    found = {}
    for row in rows:
        verdicts = row["evidence"][0]["verdicts"]
        wrong = verdicts.index("wrong") + 1 if "wrong" in verdicts else 0
        found[row["problem"]["question"]] = wrong if verdicts else None
    return found


def asked(text: str) -> list[str]:
    return re.findall(r"^(\d\?)", text, re.MULTILINE)


def test_answers_down_a_pipe_blind_and_scored() -> None:
    done = piped("1\n2\nnonsense\n9\n3\ns\n?\n0\n6\n")
    assert done.returncode == 0, done.stderr
    order = list(dict.fromkeys(asked(done.stderr)))
    assert list(truth().items()) == list(zip(order, [1, 2, 3, None, 0, 6], strict=True))
    assert done.stderr.count("Not an answer") == 2
    assert "secretive" not in done.stderr
    assert "\x1b[2J" not in done.stderr
    assert "all                1 of 5 exact, 20%" in done.stdout
    line = done.stderr.splitlines()[-1]
    assert line == "More figures: prmdata score l.jsonl --truth l.truth.jsonl"
    scored = command(*line.removeprefix("More figures: prmdata ").split(), "--json")
    figures = json.loads(scored.stdout)
    assert (figures["exact"], figures["traces"], figures["truth_unknown"]) == (0.2, 5, 1)


def test_it_goes_on_where_it_stopped() -> None:
    first = piped("1\n2\n", "-n", "4")
    assert "2 of 4 answered" in first.stderr
    second = piped("3\nq\n", "-n", "6")
    assert "3 of 6 answered" in second.stderr
    third = piped("4\n5\n6\n", "-n", "6")
    assert sorted(filter(None, truth().values())) == [1, 2, 3, 4, 5, 6]
    shown = [asked(done.stderr) for done in (first, second, third)]
    assert shown[1][0] == shown[0][2]
    assert shown[2][0] == shown[1][1]
    assert piped("").returncode == 0  # nothing is left to ask


def test_only_some_and_with_labels() -> None:
    done = piped("1\n1\n", "--only", "right", "--labels", "-o", "t.jsonl")
    assert done.returncode == 0
    assert asked(done.stderr) == ["6?"]
    assert "labelled by secretive: step 3" in done.stderr
    assert truth("t.jsonl") == {"6?": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-"], "name a file"),
        (["l.jsonl", "-o", "l.jsonl"], "write the answers to another file"),
        (["l.jsonl", "-o", "t.parquet"], "*.jsonl"),
        (["gone.jsonl"], "no such file"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words: list[str], said: str) -> None:
    done = command("audit", *words, given="")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


SEATED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""The terminal becomes the process's own, so that Ctrl-C typed there reaches it."""


class Terminal:
    """A person at a real terminal."""

    def __init__(self, *words: str) -> None:
        self.screen, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SEATED, *WORDS, "l.jsonl", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, times: int = 1) -> None:
        end = time.monotonic() + 60
        while self.seen.count(text) < times:
            if select.select([self.screen], [], [], max(end - time.monotonic(), 0)) == ([], [], []):
                raise AssertionError(f"waited for {text!r}, saw {self.seen!r}")
            try:
                self.seen += os.read(self.screen, 65536).decode(errors="replace")
            except OSError:  # the other end is gone
                assert self.seen.count(text) >= times, self.seen
                return

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def close(self) -> int:
        code = self.process.wait(60)
        os.close(self.screen)
        return code


def test_at_a_terminal_with_second_thoughts_and_a_kill() -> None:
    person = Terminal()
    for number in range(1, 4):
        person.until("first wrong step?", number)
        person.type(f"{number}\n")
    person.until("first wrong step?", 4)
    person.type("b\n")
    person.until("so far step 3", 1)
    person.type("s\n")
    person.until("first wrong step?", 6)
    assert "\x1b[2J" not in person.seen
    person.process.send_signal(signal.SIGKILL)
    assert person.close() == -signal.SIGKILL
    assert list(truth().values()) == [1, 2, None]
    again = Terminal()
    again.until("4 of 6", 1)
    again.type("b\n")
    again.until("so far skipped", 1)
    again.type("5\n")
    again.until("4 of 6", 2)
    again.type("\x03")
    again.until("3 of 6 answered", 1)
    assert again.close() == 130
    assert list(truth().values()) == [1, 2, 5]


def test_traces_without_labels_can_be_judged_too() -> None:
    bare = [Trace("p/0", Problem("p", "1?"), (Step("x\n"), Step("y\n")))]
    write_traces("l.jsonl", [replace(t, labels=None) for t in bare])
    done = piped("2\n")
    assert truth() == {"1?": 2}
    assert done.stdout == ""
    assert "prmdata score LABELLED --truth l.truth.jsonl" in done.stderr
