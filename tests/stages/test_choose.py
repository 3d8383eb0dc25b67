"""`choose` through the command."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import prmdata
from prmdata.files import write_traces
from prmdata.records import Tally, Trace
from tests.warm import command


def test_problems_near_a_target_with_all_their_traces(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces)
    done = command("choose", "t.jsonl", "--target", ".5", "--n", "5", "-o", "p.jsonl")
    assert done.returncode == 0, done.stderr
    made = Counter(trace.problem.id for trace in prmdata.read("p.jsonl"))
    assert len(made) == 5
    assert set(made.values()) == {4}
    assert "20 traces of 5 problems" in done.stderr


def test_pairs_name_their_partners(traces: list[Trace]) -> None:
    low, high = Tally(8, right=1, wrong=7), Tally(8, right=7, wrong=1)
    rated = [replace(t, group=low if int(t.problem.id.split("-")[2]) % 2 else high) for t in traces]
    write_traces("t.jsonl", rated)
    done = command("choose", "t.jsonl", "--pairs", "-o", "p.jsonl")
    levels = {t.problem.meta["level"] for t in rated}
    assert done.returncode in (0, 1), done.stderr
    if done.returncode == 1:  # levels and pass rates go together in these problems
        assert "of its topic" in done.stderr
        assert len(levels) > 1
        one = [
            replace(t, problem=replace(t.problem, meta={**t.problem.meta, "level": 1}))
            for t in rated
        ]
        write_traces("t.jsonl", one)
        done = command("choose", "t.jsonl", "--pairs", "-o", "p.jsonl")
        assert done.returncode == 0, done.stderr
    made = {t.problem.id: t.problem.meta["partner"] for t in prmdata.read("p.jsonl")}
    assert made
    assert all(made[partner] == problem for problem, partner in made.items())


def test_rollouts_of_every_problem(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces)
    text = Path("t.jsonl").read_text()
    done = command("choose", "-", "--rollouts", "2", given=text)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(traces) / 2


def test_what_is_asked_for_must_be_clear(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces[:4])
    for words, message in (
        ((), "say how to choose"),
        (("--target", ".5"), "--n N"),
        (("--n", "3"), "--target or --pairs"),
        (("--target", ".5", "--pairs", "--n", "2"), "one of them"),
        (("--rollouts", "2", "--by", "luck"), "variance or information"),
    ):
        done = command("choose", "t.jsonl", *words, "-o", "x.jsonl")
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    done = command("choose", "-", "--target", ".5", "--n", "1", given="")
    assert done.returncode == 2
    assert "reads its input twice" in done.stderr
    ungraded = [replace(t, correct=None, group=None) for t in traces[:4]]
    write_traces("u.jsonl", ungraded)
    done = command("choose", "u.jsonl", "--target", ".5", "--n", "1", "-o", "y.jsonl")
    assert "no graded trace" in done.stderr
