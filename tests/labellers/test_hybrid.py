"""Verdicts and outcome in one value: by hand, and against the oracle."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from prmdata.errors import UsageError
from prmdata.labellers.hybrid import Hybrid
from prmdata.records import Evidence, Problem, Step, Trace
from prmdata.truth import truth_of
from prmdata.verifiers.arithmetic import Arithmetic
from prmdata.verifiers.contract import Ready, as_evidence
from tests.labellers.running import run
from tests.policy import Policy


def judged(verdicts: str, correct: bool | None) -> Trace:
    """`+`, `-`, `?`: a trace whose steps a tool called right, wrong and unknown."""
    words = {"+": "right", "-": "wrong", "?": "unknown"}
    evidence = Evidence("tool", "verdicts", verdicts=tuple(words[v] for v in verdicts))  # type: ignore[misc]
    steps = tuple(Step(f"{i}\n") for i in range(len(verdicts)))
    return Trace("t", Problem("p", "q"), steps, correct=correct, evidence=(evidence,))


def test_the_value_is_that_of_the_formula_written_out() -> None:
    for verdicts in itertools.product((1, 0, -1), repeat=4):
        a, b, c, d = verdicts
        read = [None if v == 0 else (v + 1) / 2 for v in verdicts]
        by_hand = [
            a + (0.9 * b + 0.81 * c + 0.729 * d) / 3 - 0.5,
            b + (0.9 * c + 0.81 * d) / 2 - 0.5,
            c + 0.9 * d - 0.5,
            d - 0.5,
        ]
        assert Hybrid(gamma=0.9, beta=0.5).fused(read, False) == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("verdicts", "correct", "beta", "first"),
    [
        ("++++", True, 0.5, None),
        ("++-?", False, 0.5, 2),
        ("++??", False, 0.25, 2),
        ("+???-", False, 0.25, 1),
        ("+-", False, 0.25, 1),
        ("+++-", True, 0.5, 3),
        ("++-+", True, 2.0, None),
        ("++++", False, 0.5, None),
        ("++++", False, 2.0, 0),
        ("????", False, 0.5, None),
        ("?+", None, 0.5, None),
        ("+?", None, 0.5, None),
        ("+?", True, 0.0, None),
        ("+-?", False, 0.0, 1),
    ],
)
def test_the_first_value_below_zero_is_the_error(
    verdicts: str, correct: bool | None, beta: float, first: int | None
) -> None:
    (made,) = run("hybrid", [judged(verdicts, correct)], Policy({}), beta=beta)
    assert made.labels is not None
    assert made.labels.first_error == first
    assert made.labels.examined == (set(verdicts) != {"?"})
    assert made.labels.settings["evidence"] == "tool"


def test_arithmetic_and_outcome_find_the_slips_of_the_embedded_world(traces: list[Trace]) -> None:
    found = slips = 0
    for trace in traces:
        truth = truth_of(trace, "abacus")
        assert truth is not None
        first = truth.first_wrong
        if trace.correct is not False or first is None or truth.notes[first] != "arithmetic":
            continue
        findings = asyncio.run(Arithmetic().verify(trace))
        evidence = as_evidence("arithmetic", Ready(Arithmetic().verify), findings)
        (made,) = run("hybrid", [trace.with_evidence(evidence)], Policy({}))
        assert made.labels is not None
        slips += 1
        found += made.labels.first_error == first
    assert found == slips > 30


def test_senseless_settings_are_refused() -> None:
    for settings in ({"gamma": 1.1}, {"gamma": -1}, {"beta": -0.1}):
        with pytest.raises(UsageError):
            Hybrid(**settings)
