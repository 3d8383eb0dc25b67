"""`credit` through the command: evidence, counts, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import prmdata
from prmdata.files import write_traces
from prmdata.records import Labels, Problem, Tally, Trace
from tests.credit.cases import paid, valued
from tests.warm import command

TALLY = Tally(4, right=2, wrong=2)


def credit_of(path: str) -> list[tuple[float | None, ...]]:
    found = [trace.evidence_named("credit") for trace in prmdata.read(path)]
    return [() if evidence is None else evidence.rewards for evidence in found]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_credit_is_evidence_beside_what_it_was_taken_from(here: Path) -> None:
    write_traces("v.jsonl", [valued(0.75, 1.0, group=TALLY), replace(paid(1.0), id="p/9")])
    done = command("credit", "v.jsonl", "-o", "c.jsonl", "--summary", "c.json")
    assert done.returncode == 0, done.stderr
    assert credit_of("c.jsonl") == [(0.25, 0.25), ()]
    first, _ = prmdata.read("c.jsonl")
    assert [e.name for e in first.evidence] == ["mc", "credit"]
    assert (first.evidence[1].settings["of"], first.evidence[1].values) == ("mc", ())
    assert "credit from mc (on 1 traces) · 1 without" in done.stderr
    assert "left without credit: 1 neither rewards nor values" in done.stderr
    assert json.loads(Path("c.json").read_text())["traces_without_credit"] == 1


def test_a_form_of_a_form(here: Path) -> None:
    write_traces("v.jsonl", [paid(1.0, 2.0, name=0), paid(0.0, 4.0, name=1)])
    assert command("credit", "v.jsonl", "--form", "sum", "-o", "a.jsonl").returncode == 0
    turn = ("--form", "turn", "--set", "evidence=credit")
    assert command("credit", "a.jsonl", *turn, "-o", "b.jsonl").returncode == 0
    assert credit_of("b.jsonl") == [(-1.0, -1.0), (1.0, 1.0)]
    evidence = next(iter(prmdata.read("b.jsonl"))).evidence_named("credit")
    assert evidence is not None
    assert evidence.settings["of"] == "paid"


def test_the_outcome_is_added_where_it_is_asked_for(here: Path) -> None:
    traces = [paid(1.0, name=0), paid(1.0, name=1, correct=False)]
    write_traces("v.jsonl", traces)
    how = ("--form", "sum", "--set", "outcome=0.5")
    assert command("credit", "v.jsonl", *how, "-o", "c.jsonl").returncode == 0
    assert credit_of("c.jsonl") == [(1.5,), (0.5,)]


def test_batch_reads_its_file_twice_and_refuses_a_pipe(here: Path) -> None:
    other = Problem("q", "And then?", "1")
    write_traces("v.jsonl", [paid(0.0, 4.0), replace(paid(2.0, 2.0), id="q/0", problem=other)])
    assert command("credit", "v.jsonl", "--form", "batch", "-o", "c.jsonl").returncode == 0
    assert credit_of("c.jsonl") == [pytest.approx((-(2**0.5), 2**0.5)), (0.0, 0.0)]
    done = command("credit", "--form", "batch", given=Path("v.jsonl").read_text())
    assert done.returncode == 2
    assert "reads its input twice" in done.stderr


def test_without_any_signal_nothing_is_finished(here: Path) -> None:
    write_traces("v.jsonl", [replace(paid(1.0), evidence=())])
    done = command("credit", "v.jsonl", "-o", "c.jsonl")
    assert done.returncode == 1
    assert "no trace has rewards or values" in done.stderr
    assert not Path("c.jsonl").exists()


@pytest.mark.parametrize("rewards", ["[1.0]", "[NaN, 1.0]", "[1e999, 1.0]", '["x", 1.0]'])
def test_rewards_of_the_wrong_length_and_what_is_no_number_are_refused(
    here: Path, rewards: str
) -> None:
    write_traces("v.jsonl", [paid(1.0, 2.0)])
    line = Path("v.jsonl").read_text()
    assert "[1.0,2.0]" in line
    Path("v.jsonl").write_text(line.replace("[1.0,2.0]", rewards))
    done = command("credit", "v.jsonl", "--form", "sum", "-o", "c.jsonl")
    assert done.returncode == 1
    assert "v.jsonl:1" in done.stderr
    assert not Path("c.jsonl").exists()


def test_signed_rewards_go_through_parquet_unchanged_and_are_no_probabilities(here: Path) -> None:
    rewards = (-3.0, None, 1e6, 3.0)
    trace = replace(paid(*rewards), labels=Labels("bisect", 1))
    write_traces("v.parquet", [trace])
    (back,) = prmdata.read("v.parquet")
    assert back == trace
    assert isinstance(back, Trace)
