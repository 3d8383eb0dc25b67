"""`verify` through the command: evidence, counts, refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import prmdata
from prmdata.files import write_traces
from prmdata.records import Trace
from prmdata.stages.verify import verified
from prmdata.truth import truth_of
from prmdata.verifiers import Finding, Ready
from tests.verifiers.boxed import trace_of
from tests.warm import command


def test_verdicts_agree_with_the_oracle_on_arithmetic(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces)
    done = command("verify", "t.jsonl", "-o", "v.jsonl", "--summary", "v.json")
    assert done.returncode == 0, done.stderr
    made = list(prmdata.read("v.jsonl"))
    counts = json.loads(Path("v.json").read_text())
    assert counts["steps"] == sum(len(t.steps) for t in traces)
    assert (
        counts["verdicts_right"] + counts["verdicts_wrong"] + counts["verdicts_unknown"]
        == counts["steps"]
    )
    slips = found = false = 0
    for trace, before in zip(made, traces, strict=True):
        evidence = trace.evidence_named("arithmetic")
        truth = truth_of(before, "abacus")
        assert evidence is not None
        assert truth is not None
        for said, kind in zip(evidence.verdicts, truth.notes, strict=True):
            slips += kind == "arithmetic"
            found += kind == "arithmetic" and said == "wrong"
            false += said == "wrong" and kind is None
    assert found > 0.95 * slips > 50
    assert false == 0


@pytest.mark.slow
def test_a_wrong_step_found_by_a_tool_is_used_by_the_search(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces)
    assert command("verify", "t.jsonl", "-o", "v.jsonl").returncode == 0
    for name in ("t", "v"):
        wrong = [t for t in prmdata.read(f"{name}.jsonl") if t.correct is False][:6]
        write_traces(f"{name}6.jsonl", wrong)
        done = command("label", f"{name}6.jsonl", "-o", f"{name}l.jsonl")
        assert done.returncode == 0, done.stderr
    spent = [
        sum(t.labels.cost.tokens for t in prmdata.read(f"{name}l.jsonl") if t.labels)
        for name in ("t", "v")
    ]
    assert spent[1] < spent[0]


def test_unknown_verifiers_and_settings_are_refused(traces: list[Trace]) -> None:
    write_traces("t.jsonl", traces[:4])
    for words, said in [
        (["--with", "arithmetik"], "did you mean 'arithmetic'"),
        (["--set", "longer=3"], "longer"),
        (["--with", "arithmetic,arithmetic", "--set", "longest=3"], "one verifier"),
    ]:
        done = command("verify", "t.jsonl", "-o", "v.jsonl", *words)
        assert done.returncode == 2
        assert said in done.stderr


def test_a_verifier_that_raises_leaves_that_trace_unknown_and_is_counted() -> None:
    async def verify(trace: Trace) -> list[Finding]:
        if "odd" in trace.text:
            raise OverflowError("too large")
        return [Finding("right")] * len(trace.steps)

    traces = [trace_of("odd", "two"), trace_of("even")]
    made = [asyncio.run(verified(trace, {"own": Ready(verify)})) for trace in traces]
    assert [trace.evidence[0].verdicts for trace in made] == [("unknown",) * 2, ("right",)]
    assert "OverflowError: too large" in str(made[0].evidence[0].notes[0])
    assert not any(trace.error for trace in made)
    write_traces("t.jsonl", [trace_of("2 + 2 = 4")])
    done = command("verify", "t.jsonl", "-o", "v.jsonl", "--summary", "v.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("v.json").read_text())["failed_checks"] == 0
