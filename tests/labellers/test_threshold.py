"""Labels from one value a step."""

from __future__ import annotations

from dataclasses import replace

from prmdata.records import Evidence, Trace
from tests.labellers.running import run
from tests.policy import Policy


def test_threshold_takes_the_first_value_that_is_not_above_it(traces: list[Trace]) -> None:
    trace = replace(traces[0], steps=traces[0].steps[:1] * 4)
    values = (0.9, None, 0.3, 0.0)
    evidenced = trace.with_evidence(Evidence("mc", "rollouts", values=values))
    verdicts = trace.with_evidence(
        Evidence("sums", "verdicts", verdicts=("right", "unknown", "right", "wrong"))
    )
    for given, threshold, first in ((evidenced, 0.0, 3), (evidenced, 0.3, 2), (verdicts, 0.0, 3)):
        (made,) = run("threshold", [given], Policy({}), threshold=threshold)
        assert made.labels is not None
        assert made.labels.first_error == first
        assert made.labels.examined
    silent = trace.with_evidence(Evidence("sums", "verdicts", verdicts=("unknown",) * 4))
    (made,) = run("threshold", [silent], Policy({}))
    assert made.labels is not None
    assert made.labels.undecided
    assert not made.labels.examined
    (failed,) = run("threshold", [trace], Policy({}))
    assert "has no evidence" in (failed.error or "")
    (cut,) = run("threshold", [replace(trace, correct=None)], Policy({}))
    assert cut.labels is cut.error is None
    assert "prmdata estimate" in (failed.error or "")


def test_rewards_alone_are_never_read_as_probabilities(traces: list[Trace]) -> None:
    trace = replace(traces[0], steps=traces[0].steps[:1] * 2)
    valued = trace.with_evidence(Evidence("mc", "rollouts", values=(0.9, 0.0)))
    paid = valued.with_evidence(Evidence("credit", "scores", rewards=(-3.0, 5.0)))
    (made,) = run("threshold", [paid], Policy({}))
    assert made.labels is not None
    assert made.labels.first_error == 1
