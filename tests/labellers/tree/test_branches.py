"""Rollouts as traces: their ids, and what is known of them."""

from __future__ import annotations

import asyncio

from prmdata.grading import Grader
from prmdata.labellers.tree.branches import branches
from prmdata.records import Trace
from prmdata.sampler.rollouts import Outcome, Rollouts, RolloutSettings
from tests.policy import Policy


def grown(trace: Trace, policy: Policy, **settings: object) -> list[Trace]:
    rollouts = Rollouts(policy, Grader(), RolloutSettings(**settings))  # type: ignore[arg-type]
    outcomes = asyncio.run(rollouts.sample(trace, 1, 3)) + asyncio.run(rollouts.sample(trace, 1, 2))
    return [branch for branch, _ in branches(trace, 1, outcomes)]


def test_a_rollout_has_one_id_in_every_run_and_no_other_rollout_has_it(
    traces: list[Trace], policy: Policy
) -> None:
    trace = next(trace for trace in traces if len(trace.steps) > 2)
    once, again = grown(trace, policy), grown(trace, policy)
    assert once == again
    others = [
        *grown(trace, policy, seed=1),
        *grown(trace, policy, temperature=0.5),
        *grown(trace, policy, max_tokens=99),
    ]
    ids = [branch.id for branch in (*once, *others)]
    assert len(ids) == len(set(ids)) == 20
    for branch in once:
        assert branch.origin.parent == (trace.id, 1)
        assert branch.text.startswith(trace.prefix(1))
        assert branch.correct is not None


def test_without_an_outcome_a_branch_is_neither_right_nor_wrong(traces: list[Trace]) -> None:
    outcomes = [
        Outcome(False, "cut", None, 5, "And so", 1),
        Outcome(False, "timeout", "7", 5, "It is 7", 2),
        Outcome(False, "unparsed", None, 5, "It is", 3),
        Outcome(False, "wrong", "8", 5, "It is 8", 4),
        Outcome(True, "right", "7", 1, " \n", 5),
    ]
    made = [branch for branch, _ in branches(traces[0], 1, outcomes)]
    assert [branch.correct for branch in made] == [None, None, None, False]
    assert [branch.finish for branch in made] == ["length", "stop", "stop", "stop"]
