from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.exports.contract import LeftOut
from prmdata.exports.visualprm import Visualprm
from prmdata.records import Evidence, Trace
from tests.exports.cases import RIGHT, WRONG, exported
from tests.labellers.running import run
from tests.policy import Policy


def signs(row: dict) -> list[str]:
    """As readers turn a row into a chat of signs, checking the scores against their counts."""
    for step in row["steps_with_score"]:
        total = step["num_mc_total"]
        assert step["score"] == (step["num_mc_correct"] / total if total else 0.0)
        assert total <= row["num_mc_sequences"]
    return ["+" if step["score"] > 0 else "-" for step in row["steps_with_score"]]


def test_readers_find_the_counts_of_monte_carlo(
    tmp_path: Path, traces: list[Trace], policy: Policy
) -> None:
    made = run("mc", traces[:16], policy, rollouts_per_step=4)
    loaded, _ = exported(tmp_path, "visualprm", made)
    assert len(loaded) == 16
    for row, trace in zip(loaded, made, strict=True):
        evidence = trace.evidence[0]
        assert row["num_mc_sequences"] == (4 if len(trace.steps) > 1 else 1)
        assert row["response"] == trace.text.strip()
        assert [step["step"] for step in row["steps_with_score"]] == [
            step.text.strip() for step in trace.steps
        ]
        found = signs(row)
        lost = found.index("-") if "-" in found else len(found)
        first = next((i for i, v in enumerate(evidence.values) if v == 0), len(found))
        assert lost == first
        for index, step in enumerate(row["steps_with_score"][: lost + 1]):
            assert step["num_mc_correct"] == evidence.hits[index]
            assert step["num_mc_total"] == evidence.rollouts[index]
        assert all(step["num_mc_total"] == 0 for step in row["steps_with_score"][lost + 1 :])


def test_a_walk_that_stopped_at_the_error_is_whole_and_a_search_is_not() -> None:
    walked = Evidence("forward", "rollouts", (0.5, 0.0, None), (2, 0, None), (4, 4, None))
    row = Visualprm().row(WRONG.with_evidence(walked))
    assert [step["num_mc_total"] for step in row["steps_with_score"]] == [4, 4, 0]
    assert signs(row) == ["+", "-", "-"]
    assert row["image"] is None
    gap = Evidence("bisect", "rollouts", (None, 0.0, None), (None, 0, None), (None, 4, None))
    with pytest.raises(LeftOut, match="before the first"):
        Visualprm().row(WRONG.with_evidence(gap))


def test_what_cannot_be_written_says_why() -> None:
    counts = Evidence("mc", "rollouts", (1.0,) * 3, (4,) * 3, (4,) * 3)
    for trace, said in (
        (RIGHT, "no rollouts"),
        (RIGHT.with_evidence(replace(counts, stopping="first-hit")), "early stopping"),
        (
            replace(RIGHT, problem=replace(RIGHT.problem, images=("a", "b"))).with_evidence(counts),
            "more than one image",
        ),
    ):
        with pytest.raises(LeftOut, match=said):
            Visualprm().row(trace)
