"""`outcome`, `prefix-tree`, `rollout-tree`: values recomputed from the leaves."""

from __future__ import annotations

from statistics import mean

import pytest

from prmdata.records import Trace
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
