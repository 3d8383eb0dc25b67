"""Rates against a count by hand, and against the oracle of abacus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import prmdata
from prmdata.errors import InputError
from prmdata.records import Trace
from prmdata.report.rates import rates
from prmdata.truth import truth_of
from tests.corrections.cases import labelled
from tests.exports.cases import RIGHT, WRONG


def test_by_the_oracle_the_rates_are_exact(traces: list[Trace]) -> None:
    known = []
    counts: Counter[str] = Counter()
    for trace in traces:
        truth = truth_of(trace, "abacus")
        assert truth is not None
        known.append(trace.with_evidence(truth))
        counts["wrong"] += truth.verdicts.count("wrong")
        counts["judged"] += truth.verdicts.count("wrong") + truth.verdicts.count("right")
        counts["flawed"] += "wrong" in truth.verdicts
        counts["ends wrong"] += trace.correct is False
    name = truth.name
    figures = rates(known, name)["all"]
    assert figures["step error"]["share"] == round(counts["wrong"] / counts["judged"], 4)
    assert figures["step error"]["n"] == counts["judged"]
    flawed = figures["traces with a wrong step"]
    assert flawed["share"] == round(counts["flawed"] / len(traces), 4)
    assert figures["outcome error"]["share"] == round(counts["ends wrong"] / len(traces), 4)
    assert figures["outcome error"]["low"] < flawed["share"] < 1


def test_groups_add_up(traces: list[Trace]) -> None:
    figures = rates(map(labelled, traces))
    levels = {name: found for name, found in figures.items() if name.startswith("level ")}
    assert sum(found["traces"] for found in levels.values()) == len(traces)
    wrong = {name: found["outcome error"]["share"] for name, found in levels.items()}
    for name, found in levels.items():
        assert found["weight"] == pytest.approx(wrong[name] / sum(wrong.values()), abs=1e-3)
    assert sum(found["weight"] for found in levels.values()) == pytest.approx(1, abs=1e-3)
    assert "weight" not in figures["all"]
    by_rate = [name for name in figures if name.startswith("pass rate")]
    assert by_rate == sorted(by_rate)


def test_nothing_known_is_said_with_what_there_is() -> None:
    with pytest.raises(InputError, match="label the traces first"):
        rates([WRONG.__class__("x", WRONG.problem, WRONG.steps)])


def test_exports_keep_wrong_answers_with_few_wrong_steps(tmp_path: Path) -> None:
    target = str(tmp_path / "sft.jsonl")
    settings = {"kind": "any"}
    counts = prmdata.export(
        [WRONG, RIGHT], output=target, to="sft", settings=settings, max_step_error=0.5
    )
    assert counts["rows written"] == 2
    counts = prmdata.export(
        [WRONG, RIGHT], output=target, to="sft", settings=settings, max_step_error=0.4
    )
    assert counts["left out: more than 0.4 of the steps wrong"] == 1
