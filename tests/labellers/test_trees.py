"""`outcome`, `prefix-tree`, `rollout-tree`: values recomputed from the leaves."""

from __future__ import annotations

from statistics import mean

import pytest

from prmdata.records import Evidence, Trace, Verdict
from tests.labellers.running import problems, run
from tests.policy import Policy


def test_outcome_is_the_trace_s_own(traces: list[Trace], policy: Policy) -> None:
    for trace in run("outcome", traces, policy):
        assert set(trace.evidence[0].values) == {float(trace.correct is True)}


def test_a_prefix_is_worth_the_mean_of_the_traces_below(
    traces: list[Trace], policy: Policy
) -> None:
    shared = 0
    policy.calls.clear()
    for group in problems(traces):
        for trace in run("prefix-tree", group, policy):
            for t, value in enumerate(trace.evidence[0].values, 1):
                below = [o.correct for o in group if o.text.startswith(trace.prefix(t))]
                shared += len(below) > 1
                assert value == pytest.approx(mean(map(float, below)))  # type: ignore[arg-type]
    assert policy.calls == []
    assert shared > 100


def test_a_branch_counts_for_no_prefix(traces: list[Trace], policy: Policy) -> None:
    """It has the steps before it by construction, and how it ended was why it was written."""
    grown = run("next-step", traces[:12], policy)
    assert len(grown) > 12
    plain = {t.id: t.evidence[-1].values for t in run("prefix-tree", traces[:12], policy)}
    among = {t.id: t.evidence[-1].values for t in run("prefix-tree", by_problem(grown), policy)}
    assert plain.items() <= among.items()


def by_problem(traces: list[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda trace: trace.problem.id)


@pytest.mark.parametrize("rollouts", [1, 5, 8, 20])
def test_a_node_is_worth_the_mean_of_its_leaves(
    rollouts: int, traces: list[Trace], policy: Policy
) -> None:
    made = run("rollout-tree", traces[:40], policy, rollouts=rollouts)
    for trace in made:
        evidence = trace.evidence[0]
        assert evidence.cost.rollouts == (rollouts if len(trace.steps) > 1 else 0)
        new = [0] * (len(trace.steps) + 1)
        leaves = [*map(int, evidence.rollouts)]  # type: ignore[arg-type]
        hits = [*map(int, evidence.hits)]  # type: ignore[arg-type]
        for t in range(len(trace.steps)):
            later = leaves[t + 1] if t + 1 < len(leaves) else 0
            new[t] = leaves[t] - later
            gained = hits[t] - (hits[t + 1] if t + 1 < len(hits) else 0)
            assert 0 <= gained <= new[t]
        assert new[len(trace.steps) - 1] == 1  # the trace itself
        branches = new[: len(trace.steps) - 1]
        assert sum(branches) == (rollouts if branches else 0)
        assert max(branches, default=0) - min(branches, default=0) <= 1


def told(trace: Trace, wrong: int | None) -> Trace:
    """With a tool that calls the step at this index wrong, and is silent of the others."""
    said: list[Verdict] = ["wrong" if i == wrong else "unknown" for i in range(len(trace.steps))]
    return trace.with_evidence(Evidence("tool", "verdicts", verdicts=tuple(said)))


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_tree_that_believes_verdicts_grows_nothing_past_a_refuted_step(
    wrong: int, traces: list[Trace], policy: Policy
) -> None:
    long_ones = [trace for trace in traces if len(trace.steps) > 3][:20]
    judged = [told(trace, wrong) for trace in long_ones]
    policy.calls.clear()
    for trace in run("rollout-tree", judged, policy, verdicts=True):
        evidence = trace.evidence[-1]
        assert evidence.cost.rollouts == (8 if wrong else 0)
        assert set(evidence.rollouts[wrong:]) == {1}  # the trace itself, and nothing else
        assert set(evidence.hits[wrong:]) == {0}  # which missed, however it ended
        if wrong:
            assert evidence.rollouts[0] == 9
            assert evidence.rollouts[wrong - 1] == 1 + 8 // wrong
    assert bool(policy.calls) == bool(wrong)
    assert any(trace.correct for trace in judged)


def test_verdicts_steer_a_tree_only_where_it_is_asked_to_believe_them(
    traces: list[Trace], policy: Policy
) -> None:
    some = traces[:20]
    plain = [trace.evidence[-1] for trace in run("rollout-tree", some, policy)]
    deaf = run("rollout-tree", [told(trace, 0) for trace in some], policy)
    assert [(e.values, e.cost) for e in plain] == [
        (trace.evidence[-1].values, trace.evidence[-1].cost) for trace in deaf
    ]
    silent = run("rollout-tree", [told(trace, None) for trace in some], policy, verdicts=True)
    assert [e.values for e in plain] == [trace.evidence[-1].values for trace in silent]
