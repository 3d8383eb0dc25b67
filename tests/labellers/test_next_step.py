"""Candidates and their values, sampled again by hand; and the pairs that come of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import replace

import pytest

from prmdata.exports import FORMATS
from prmdata.exports.contract import LeftOut
from prmdata.grading import Grader
from prmdata.labellers.next_step import NextStep
from prmdata.records import Labels, Step, Trace
from prmdata.registry import make
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import cut_steps
from tests.conftest import _sampled
from tests.labellers.running import problems, run
from tests.policy import Policy


def by_hand(trace: Trace, kept: int, k: int, most: int, policy: Policy) -> dict[str, float]:
    """Candidate → hits over rollouts; each candidate a line, as this policy writes them."""

    async def values() -> dict[str, float]:
        rollouts = Rollouts(policy, Grader(), RolloutSettings(seed=1))
        proposed, hits = Counter[str](), Counter[str]()
        own = trace.steps[kept].text
        candidates = {own: trace.steps[kept + 1 :]}
        for done in await rollouts.sample(trace, kept, k):
            first, *rest = cut_steps(done.text, "auto")
            candidates.setdefault(first.text, tuple(rest))
            proposed[first.text] += 1
            hits[first.text] += done.hit
        found = {}
        for number, (text, rest) in enumerate(candidates.items()):
            if not rest:
                found[text] = float(trace.correct is True) if text == own else hits[text] > 0
                continue
            steps = (*trace.steps[:kept], Step(text), *rest)
            there = replace(trace, id=f"by hand {number}", steps=steps)
            more = await rollouts.sample(there, kept + 1, max(most - proposed[text], 0))
            total = hits[text] + sum(done.hit for done in more)
            found[text] = total / (proposed[text] + len(more))
        return found

    return asyncio.run(values())


@pytest.mark.parametrize(("k", "most"), [(5, 8), (8, 2), (1, 1)])
def test_every_candidate_has_the_value_of_its_rollouts(
    k: int, most: int, traces: list[Trace], policy: Policy
) -> None:
    several = 0
    for trace in traces[:16]:
        made = run("next-step", [trace], policy, candidates=k, rollouts_per_candidate=most)
        kept = len(trace.steps) // 2
        found = {t.steps[kept].text: t.evidence[-1].values[kept] for t in made}
        assert len(found) == len(made)
        assert found == pytest.approx(by_hand(trace, kept, k, most, policy))
        several += len(made) > 1
        for one in made:
            evidence = one.evidence[-1]
            assert [v is None for v in evidence.values].count(False) == 1
            assert one.prefix(kept) == trace.prefix(kept)
        assert made[0].steps == trace.steps
        assert {t.origin.parent for t in made[1:]} <= {(trace.id, kept)}
    assert several > (3 if k > 1 else 0)


def test_the_decision_is_the_first_error_where_one_is_known(
    traces: list[Trace], policy: Policy
) -> None:
    wrong = next(t for t in traces if t.correct is False and len(t.steps) > 3)
    labelled = replace(wrong, labels=Labels("x", 1))
    made = run("next-step", [labelled], policy)
    assert made[0].labels == labelled.labels
    assert {t.evidence[-1].settings["after_step"] for t in made} == {1}
    asked = run("next-step", [labelled], policy, after_step=2)
    assert {t.evidence[-1].settings["after_step"] for t in asked} == {2}
    flawless = replace(wrong, labels=Labels("x", None))
    assert run("next-step", [flawless], policy) == [flawless]
    assert run("next-step", [wrong], policy, after_step=99) == [wrong]


def test_a_candidate_that_ends_the_trace_is_graded(traces: list[Trace], policy: Policy) -> None:
    for trace in traces[:8]:
        policy.calls.clear()
        kept = len(trace.steps) - 1
        made = run("next-step", [trace], policy, after_step=kept)
        assert [n for _, n, _ in policy.calls] == [5]
        for one in made:
            assert one.evidence[-1].values[kept] == float(one.correct is True)
            assert one.evidence[-1].rollouts[kept] == 1


def test_a_rollout_that_ends_at_once_proposes_nothing(traces: list[Trace]) -> None:
    policy = Policy({0: 60})
    policy.silent = 2
    made = run("next-step", traces[:12], policy)
    assert [t.error for t in made] == [None] * len(made)
    assert len(made) > 12
    policy.silent = 1
    made = run("next-step", traces[:12], policy)
    assert [t.error for t in made] == [None] * 12


def test_what_was_paid_is_what_was_asked(traces: list[Trace], policy: Policy) -> None:
    for trace in traces[:12]:
        policy.calls.clear()
        made = run("next-step", [trace], policy)
        assert sum(t.evidence[-1].cost.rollouts for t in made) == sum(n for _, n, _ in policy.calls)
        assert made[0].evidence[-1].cost.rounds <= 2
        kept = len(trace.steps) // 2
        forecast = NextStep().forecast(trace).rollouts
        assert len(made) * 8 + 5 >= sum(n for _, n, _ in policy.calls)
        assert forecast == 5 + 6 * 8
        assert all(t.evidence[-1].rollouts[kept] >= 1 for t in made)  # type: ignore[operator]


def test_pairs_of_right_and_wrong_steps_come_of_it(traces: list[Trace]) -> None:
    policy = Policy({0: 60}, mends=0.0)
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 2]
    found = 0
    for trace in run("bisect", wrong[:20], policy):
        made = run("threshold", run("next-step", [trace], policy), policy)
        with contextlib.suppress(LeftOut):  # all candidates right, or all wrong
            found += len(list(make(FORMATS, "pairs", {}).rows(made)))
    assert found > 5


def test_a_run_on_its_own_output_repeats_no_id_and_changes_no_value(
    traces: list[Trace], policy: Policy
) -> None:
    new = 0
    for group in problems(traces)[:10]:
        once = run("next-step", group, policy)
        assert len({trace.id for trace in once}) == len(once)
        new += len(once) - len(group)
        assert run("next-step", once, policy) == once
        other = run("next-step", once, policy, candidates=3, after_step=1)
        assert len({trace.id for trace in other}) == len(other)
    assert new > 10


def test_candidates_of_the_first_step_are_not_the_samples_of_generate() -> None:
    """Both ask for continuations of the question with the same settings and the same seed."""
    policy = Policy({0: 60}, slips=0.3)
    group = asyncio.run(_sampled(policy, 12, 8))
    texts = {trace.text for trace in group}
    made = asyncio.run(_rooted(policy, group))
    new = [trace for trace in made if trace.origin.parent]
    assert len(new) > 20
    assert sum(trace.text in texts for trace in new) < len(new) / 2


async def _rooted(policy: Policy, group: list[Trace]) -> list[Trace]:
    rollouts = Rollouts(policy, Grader(), RolloutSettings(seed=group[0].origin.seed or 0))
    return await NextStep(after_step=0, rollouts_per_candidate=1).apply(group, rollouts)


def test_the_advantage_is_the_value_less_the_mean_of_the_candidates(
    traces: list[Trace], policy: Policy
) -> None:
    several = 0
    for trace in traces[:16]:
        made = run("next-step", [trace], policy)
        at = len(trace.steps) // 2
        values = [t.evidence[-1].values[at] for t in made]
        mean = sum(v for v in values if v is not None) / len(values)
        for one, value in zip(made, values, strict=True):
            *others, reward = sorted(one.evidence[-1].rewards, key=lambda r: r is not None)
            assert reward == pytest.approx((value or 0) - mean)
            assert set(others) <= {None}
        several += len(made) > 1 and len(set(values)) > 1
    assert several > 3


def test_a_judge_needs_candidates_and_no_rollouts(traces: list[Trace], policy: Policy) -> None:
    trace = next(t for t in traces if len(t.steps) > 3)
    bought = run("next-step", [trace], policy, candidates=6)
    proposed = run("next-step", [trace], policy, candidates=6, by="judge")
    assert [t.steps for t in proposed] == [t.steps for t in bought]
    assert len(proposed) > 1
    assert proposed[0].evidence[-1].cost.rollouts == 6
    assert sum(t.evidence[-1].cost.rollouts for t in proposed) == 6
    assert all(t.evidence[-1].rewards in ((), (None,) * len(t.steps)) for t in proposed)
    assert {t.evidence[-1].settings["after_step"] for t in proposed} == {len(trace.steps) // 2}
