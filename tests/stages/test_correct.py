"""`repair` through the command, with the embedded model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import prmdata
from prmdata.files import write_traces
from prmdata.records import Trace
from tests.corrections.cases import labelled
from tests.warm import command


def test_repairs_stand_after_their_group_and_the_line_says_both_rates(traces: list[Trace]) -> None:
    short = [labelled(t) for t in traces if t.correct is False and len(t.steps) <= 4][:3]
    write_traces("l.jsonl", short)
    words = ("--set", "attempts=4", "--set", "before=2", "--summary", "s.json")
    done = command("repair", "l.jsonl", *words, "-o", "r.jsonl")
    assert done.returncode == 0, done.stderr
    counts = json.loads(Path("s.json").read_text())
    assert counts["traces_tried"] == len(short)
    assert f"of {len(short)} wrong traces repaired" in done.stderr
    assert "right from before the wrong step" in done.stderr
    made = list(prmdata.read("r.jsonl"))
    assert [trace.id for trace in made if trace.origin.parent is None] == [t.id for t in short]
    assert len(made) == len(short) + counts["repaired"]
    taught = command("repair", "l.jsonl", *words, "--teacher", "abacus", "-o", "taught.jsonl")
    assert taught.returncode == 0, taught.stderr
    again = command("repair", "l.jsonl", *words, "-o", "r.jsonl")
    assert "up to date" in again.stderr


def test_nothing_to_repair_or_to_ask_about_is_said(traces: list[Trace]) -> None:
    bare = [replace(t, problem=replace(t.problem, context={})) for t in traces[:2]]
    write_traces("t.jsonl", bare)
    for verb, needed in (("repair", "first error"), ("intervene", "reference solution")):
        done = command(verb, "t.jsonl", "-o", f"{verb}.jsonl")
        assert done.returncode == 0
        assert "nothing was tried" in done.stderr
        assert needed in done.stderr
    done = command("repair", "t.jsonl", "--set", "mode=all", "-o", "x.jsonl")
    assert done.returncode == 2
    assert "write rest or step" in done.stderr
