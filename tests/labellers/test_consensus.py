"""Where two kinds of evidence agree, a label; where not, none, and no export takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.shapes.verdicts import decided
from prmdata.labellers.consensus import Consensus
from prmdata.records import Cost, Evidence, Problem, Step, Trace
from tests.labellers.running import run
from tests.policy import Policy

STEPS = tuple(Step(f"{i}\n") for i in range(3))


def trace_with(values: tuple[float | None, ...], verdicts: tuple[str, ...]) -> Trace:
    rollouts = Evidence("mc", "rollouts", values=values, cost=Cost(tokens=5))
    tool = Evidence("tool", "verdicts", verdicts=verdicts)  # type: ignore[arg-type]
    return Trace("t", Problem("p", "q"), STEPS, correct=True, evidence=(rollouts, tool))


@pytest.mark.parametrize(
    ("values", "verdicts", "expected"),
    [
        ((1.0, 0.5, 0.0), ("right", "unknown", "wrong"), (1.0, 1.0, 0.0)),
        ((1.0, 0.5, 0.2), ("right", "right", "unknown"), (1.0, 1.0, 1.0)),
        ((1.0, 0.0, 0.0), ("right", "right", "wrong"), (None, None, None)),
        ((1.0, 0.5, 0.2), ("right", "wrong", "wrong"), (None, None, None)),
        ((1.0, 1.0, 1.0), ("unknown", "unknown", "unknown"), (None, None, None)),
        ((None, 0.0, None), ("right", "wrong", "right"), (1.0, 0.0, 0.0)),
    ],
)
def test_only_agreement_decides(
    values: tuple[float | None, ...], verdicts: tuple[str, ...], expected: tuple[float | None, ...]
) -> None:
    (made,) = run("consensus", [trace_with(values, verdicts)], Policy({}))
    labels = made.labels
    assert labels is not None
    assert labels.values == expected
    assert labels.examined == (None not in expected)
    assert labels.first_error == (expected.index(0.0) if 0.0 in expected else None)
    assert labels.settings["evidence"] == "tool,mc"
    assert labels.cost.tokens == 5
    if not labels.examined:
        with pytest.raises(LeftOut, match="undecided"):
            decided(made)


def test_a_voice_may_combine_several_pieces_of_evidence() -> None:
    given = trace_with((1.0, 0.0, 0.0), ("unknown", "unknown", "unknown"))
    terms = Evidence("terms", "verdicts", verdicts=("right", "wrong", "unknown"))
    given = given.with_evidence(terms)
    for named in ("", "mc,tool+terms"):
        (made,) = run("consensus", [given], Policy({}), evidence=named)
        assert made.labels is not None
        assert made.labels.first_error == 1
    (made,) = run("consensus", [given], Policy({}), evidence="mc,tool,terms")
    assert made.labels is not None
    assert made.labels.undecided  # `tool` is a voice of its own there, and says nothing


def test_two_can_be_named_and_one_kind_is_not_enough() -> None:
    given = trace_with((1.0, 0.0, 0.0), ("right", "right", "wrong"))
    judge = Evidence("judge", "verdicts", verdicts=("right", "wrong", "wrong"))
    (made,) = run("consensus", [given.with_evidence(judge)], Policy({}), evidence="mc,judge")
    assert made.labels is not None
    assert made.labels.first_error == 1
    alone = replace(given, evidence=given.evidence[:1])
    (failed,) = run("consensus", [alone], Policy({}))
    assert "only one kind of evidence (rollouts, by mc)" in (failed.error or "")
    with pytest.raises(UsageError, match="two voices or more"):
        Consensus(evidence="mc")
    with pytest.raises(UsageError, match="two voices or more"):
        Consensus(evidence="mc,")


@pytest.mark.parametrize(
    ("verdicts", "agree", "at", "expected"),
    [
        (("0", "0", "1"), 2, "step", 0),
        (("0", "0", "1"), 0, "step", "open"),
        (("0", "1", "-"), 2, "step", "open"),
        (("1", "0", "-"), 2, "verdict", 0),
        (("-", "-", "2"), 2, "step", None),
        (("?", "2", "2"), 2, "step", 2),
        (("?", "?", "2"), 2, "step", "open"),
    ],
)
def test_some_of_several_voices_are_enough(
    verdicts: tuple[str, ...], agree: int, at: str, expected: int | str | None
) -> None:
    """A digit names the first wrong step, - is none, ? says nothing."""
    trace = Trace("t", Problem("p", "q"), STEPS)
    for name, said in zip("abc", verdicts, strict=True):
        found = ["unknown" if said == "?" else "right"] * 3
        if said.isdigit():
            found[int(said)] = "wrong"
        trace = trace.with_evidence(Evidence(name, "verdicts", verdicts=tuple(found)))  # type: ignore[arg-type]
    (made,) = run("consensus", [trace], Policy({}), evidence="a,b,c", agree=agree, at=at)
    assert made.labels is not None
    assert made.labels.undecided == (expected == "open")
    if expected != "open":
        assert made.labels.first_error == expected


def test_half_of_the_voices_are_not_enough() -> None:
    with pytest.raises(UsageError, match="more than half"):
        run("consensus", [], Policy({}), evidence="a,b,c,d", agree=2)
