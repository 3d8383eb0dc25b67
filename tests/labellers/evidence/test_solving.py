"""Where a trace had its answer, and the export's filters for it."""

from __future__ import annotations

import pytest

from prmdata.dataset.selection import Selection
from prmdata.labellers.evidence.solving import Solving, solving_of
from prmdata.records import Evidence, Problem, Step, Trace


def trace(correct: bool, *values: float | None, name: str = "anytime") -> Trace:
    steps = tuple(Step(str(i)) for i in range(len(values)))
    evidence = Evidence(name, "rollouts", values=values)
    return Trace("t", Problem("p", "?"), steps, correct=correct, evidence=(evidence,))


@pytest.mark.parametrize(
    ("made", "solving"),
    [
        (trace(True, 0.0, 1.0, 0.5, 1.0), Solving(1, 2, overturned=False)),
        (trace(False, 0.2, 0.95, 0.0, 0.0), Solving(1, 2, overturned=True)),
        (trace(True, 0.0, None, 0.5, 1.0), Solving(3, 0, overturned=False)),
        (trace(False, 0.0, 0.1, 0.5, 0.0), Solving(None, 0, overturned=False)),
        (trace(True, 1.0, 1.0, name="mc"), None),
    ],
)
def test_the_first_step_with_the_answer_and_what_became_of_it(
    made: Trace, solving: Solving | None
) -> None:
    assert solving_of(made) == solving


def test_export_leaves_out_what_thinks_on_and_what_is_overturned() -> None:
    most = Selection(max_after_solved=1)
    assert most.against(trace(True, 0.0, 1.0, 0.5, 1.0)) == "more than 1 step after it was solved"
    assert most.against(trace(True, 0.0, 0.0, 1.0, 1.0)) is None
    assert most.against(trace(True, 1.0, 1.0, name="mc")) == "not known where it was solved"
    kept = Selection(overturned=False)
    assert kept.against(trace(False, 0.2, 0.95, 0.0, 0.0)) == "held the answer and overturned it"
    assert kept.against(trace(False, 0.2, 0.5, 0.0, 0.0)) is None
