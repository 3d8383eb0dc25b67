"""Figures against ones worked out by hand, and the truth against the oracle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.abacus import judge, story
from prmdata.errors import InputError
from prmdata.records import Cost, Evidence, Labels, Problem, Step, Trace
from prmdata.report.score import score
from prmdata.report.stats import stats
from prmdata.report.truth import first_wrong, truth_of


def made(number: int, truth: int | None, said: int | None, cost: int = 0) -> Trace:
    verdicts = tuple("wrong" if i == truth else "right" for i in range(4))
    return Trace(
        id=f"p/{number}",
        problem=Problem("p", "?"),
        steps=(Step("x"),) * 4,
        correct=truth is None,
        evidence=(Evidence("oracle", "truth", verdicts=verdicts, notes=("slip",) * 4),),
        labels=Labels("x", said, cost=Cost(cost, 2, 1)),
    )


def test_figures_by_hand() -> None:
    pairs = [(1, 1), (1, 2), (2, None), (3, 3), (None, None), (None, 0)]
    figures = score(
        [made(i, truth, said, 10) for i, (truth, said) in enumerate(pairs)],
        lambda trace: truth_of(trace, "evidence"),
    )
    assert figures["exact"] == 0.5  # 1, 4 and 5
    assert figures["exact_on_erroneous"] == 0.5
    assert figures["exact_on_correct"] == 0.5
    assert figures["f1"] == 0.5
    wrong_steps = 0 + 1 + 2 + 0 + 0 + 4
    assert figures["step_accuracy"] == round((24 - wrong_steps) / 24, 6)
    assert (figures["tokens"], figures["rollouts"], figures["rounds"]) == (60, 12, 6)
    assert figures["tokens_per_trace"] == 10
    assert figures["first_error_kinds"] == {"slip": 4}


def test_the_oracle_judges_steps_however_they_were_cut(traces: list[Trace]) -> None:
    for trace in traces:
        meta = trace.problem.meta
        lines = [line for line in trace.text.split("\n") if line]
        judged = judge(story(meta["seed"], meta["index"], meta["level"]), lines)
        assert first_wrong(truth_of(trace, "abacus")) == judged.first_error  # a step is a line
        pairs = tuple(
            Step("".join(s.text for s in trace.steps[i : i + 2]))
            for i in range(0, len(trace.steps), 2)
        )
        joined = first_wrong(truth_of(replace(trace, steps=pairs), "abacus"))
        assert joined == (None if judged.first_error is None else judged.first_error // 2)


def test_truth_of_another_generator_is_refused(traces: list[Trace]) -> None:
    old = replace(
        traces[0], problem=replace(traces[0].problem, meta={"source": "abacus", "generator": "0"})
    )
    with pytest.raises(InputError, match="made by generator 0"):
        truth_of(old, "abacus")
    changed = replace(traces[0], problem=replace(traces[0].problem, question="1 + 1?"))
    with pytest.raises(InputError, match="not the one"):
        truth_of(changed, "abacus")
    with pytest.raises(InputError, match="its truth is not known"):
        score([replace(traces[0], problem=Problem("p", "?"))], lambda t: truth_of(t, "abacus"))


def test_stats_count(traces: list[Trace]) -> None:
    counted = stats([*traces, traces[0].failed("x")])
    assert counted["traces"] == len(traces) + 1
    assert counted["failed"] == 1
    assert counted["problems"] == len({t.problem.id for t in traces})
    assert counted["steps"] == sum(len(t.steps) for t in traces) + len(traces[0].steps)
