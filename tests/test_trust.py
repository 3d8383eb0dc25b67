"""What labels believe of themselves, and what is warned of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.records import Evidence, Labels, Problem, Step, Tally, Trace
from prmdata.trust import Trust

TRACE = Trace(
    "p/0", Problem("p", "1 + 1?", "2"), (Step("a\n"), Step("b")), "3", False,
    group=Tally(8, 3, 5), labels=Labels("posterior", 1, (0.9, 0.1), 0.8),
)  # fmt: skip


def trust_of(*traces: Trace) -> Trust:
    trust = Trust()
    for trace in traces:
        trust.add(trace)
    return trust


def test_confidences_are_added_up_over_what_was_looked_into() -> None:
    word = replace(
        TRACE, correct=True, labels=Labels("posterior", None, (1.0, 1.0), examined=False)
    )
    unsure = replace(TRACE, labels=replace(TRACE.labels, confidence=0.4))  # type: ignore[type-var]
    doubted = replace(TRACE, labels=Labels("posterior", None, (1.0, 1.0), 0.6))
    trust = trust_of(TRACE, word, unsure, doubted, replace(TRACE, labels=None))
    assert trust.as_dict() == {
        "expected_exact": pytest.approx(0.6), "unsure": 1, "gold_doubted": 1, "never_hit": 0,
    }  # fmt: skip
    assert trust.line() == (
        "60% of first errors expected exact, 1 below .5, 1 with no wrong step found"
    )


def test_nothing_is_expected_of_labels_without_confidence() -> None:
    trust = trust_of(replace(TRACE, labels=Labels("bisect", 1)))
    assert trust.line() is None
    assert trust.warnings() == []
    assert trust.as_dict()["expected_exact"] is None


def test_a_sampler_that_never_succeeds_is_warned_of_and_one_that_does_is_not() -> None:
    hopeless = replace(TRACE, group=Tally(8, 0, 8))
    missed = hopeless.with_evidence(
        Evidence("posterior", "rollouts", hits=(0, None), rollouts=(4, None))
    )
    hit = hopeless.with_evidence(
        Evidence("posterior", "rollouts", hits=(1, None), rollouts=(4, None))
    )
    assert "too weak" in trust_of(*[missed] * 20).warnings()[0]
    assert trust_of(*[hit] * 20).warnings() == []
    assert trust_of(*[missed] * 19).warnings() == []


def test_labels_that_expect_little_of_themselves_say_so() -> None:
    low = replace(TRACE, labels=replace(TRACE.labels, confidence=0.45))  # type: ignore[type-var]
    assert "exact on 45% only" in trust_of(*[low] * 20).warnings()[0]
    assert trust_of(*[TRACE] * 20).warnings() == []
