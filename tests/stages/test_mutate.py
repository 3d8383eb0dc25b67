"""`mutate` through the command: labelled lines that score and export, and what is left out."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

import prmdata
from prmdata.files import write_traces
from prmdata.records import Trace
from tests.verifiers.test_unit_tests import RIGHT, program
from tests.warm import command


def run(*words: str) -> subprocess.CompletedProcess[str]:
    done = command(*words)
    if "sandbox" in done.stderr and done.returncode == 1:
        pytest.skip(done.stderr)
    return done


def test_records_that_failed_before_pass_by() -> None:
    failed = dataclasses.replace(program(RIGHT), id="p/1").failed("before")
    write_traces("p.jsonl", [program(RIGHT), failed])
    done = run("mutate", "p.jsonl", "-o", "l.jsonl")
    assert done.returncode == 0, done.stderr
    assert traces_of("l.jsonl")[-1] == failed


def traces_of(path: str) -> list[Trace]:
    return list(prmdata.read(path))


def test_the_lines_score_and_export() -> None:
    write_traces("p.jsonl", [program(RIGHT)])
    done = run("mutate", "p.jsonl", "-o", "l.jsonl", "--summary", "s.json")
    assert done.returncode == 0, done.stderr
    counts = json.loads(Path("s.json").read_text())
    made = traces_of("l.jsonl")
    wrong = [trace for trace in made if trace.labels and trace.labels.first_error is not None]
    assert counts["lines_wrong"] == len(wrong) > 3
    assert counts["lines_right"] == len(made) - len(wrong) > 0
    assert f"{len(wrong)} wrong lines, {len(made) - len(wrong)} right lines" in done.stderr
    scored = prmdata.score(made)
    assert scored["exact"] == 1.0
    assert set(scored["first_error_kinds"]) == {"mutation"}
    done = run("export", "l.jsonl", "--to", "stepwise", "-o", "d.jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in Path("d.jsonl").read_text().splitlines()]
    assert len(rows) == len(made)


def test_programs_that_fail_are_counted_and_none_is_an_error() -> None:
    failing = program(RIGHT.replace("+=", "-="))
    write_traces("p.jsonl", [failing])
    done = run("mutate", "p.jsonl", "-o", "l.jsonl")
    assert done.returncode == 1
    assert "1 of 1 programs fail their tests" in done.stderr
    assert "needs traces of programs that pass" in done.stderr
    assert not Path("l.jsonl").exists()


def test_asking_for_no_lines_is_refused() -> None:
    write_traces("p.jsonl", [program(RIGHT)])
    done = run("mutate", "p.jsonl", "--mutations", "0", "--refactorings", "0")
    assert done.returncode == 2
    assert "make one of them 1 or more" in done.stderr
