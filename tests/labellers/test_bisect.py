"""Binary search for the first error, against the values of every step from the same rollouts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.labellers.bisect import Bisect
from prmdata.labellers.contract import Probe
from prmdata.records import Evidence, Tally, Trace
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from tests.labellers.running import problems, run
from tests.policy import Policy


def test_bisect_agrees_with_exhaustive_values_from_the_same_rollouts(
    traces: list[Trace], policy: Policy
) -> None:
    """Search, done by hand over the values of every step, decides as the method does."""
    exhaustive = {t.id: t for t in run("mc", traces, policy, rollouts_per_step=8)}
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 1]
    assert len(wrong) > 30
    for trace in run("bisect", traces, policy):
        if trace.correct:
            continue
        values = exhaustive[trace.id].evidence[0].values
        right, error = 0, len(trace.steps)
        while error - right > 1:
            middle = (right + error) // 2
            value = values[middle - 1]
            assert value is not None
            right, error = (middle, error) if value > 0 else (right, middle)
        assert trace.labels is not None
        assert trace.labels.first_error == error - 1


def test_the_first_hit_settles_a_probe_with_the_same_decisions_for_less(
    traces: list[Trace], policy: Policy
) -> None:
    whole = run("bisect", traces, policy)
    early = run("bisect", traces, policy, first_hit=True)
    for a, b in zip(whole, early, strict=True):
        assert a.labels is not None
        assert b.labels is not None
        assert a.labels.first_error == b.labels.first_error
        assert b.labels.cost.rollouts <= a.labels.cost.rollouts
    spent = [sum(t.labels.cost.tokens for t in made if t.labels) for made in (whole, early)]
    assert spent[1] < 0.8 * spent[0]
    assert {t.evidence[0].stopping for t in early if t.evidence} == {"first-hit"}


def test_a_share_of_the_pass_rate_asks_for_more_than_luck(traces: list[Trace]) -> None:
    """A policy that mends its slips makes "any hit" call wrong steps right."""
    lucky = Policy({0: 60}, slips=0.15, mends=0.25)
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 3]
    late = {
        share: sum(
            t.labels.first_error
            for t in run("bisect", wrong, lucky, pass_rate_share=share)
            if t.labels and t.labels.first_error is not None
        )
        for share in (0.0, 0.8)
    }
    assert late[0.8] < late[0.0]


def test_bisect_may_believe_a_verifier(traces: list[Trace], policy: Policy) -> None:
    """It then looks only before the step that was called wrong, and pays less."""
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 4]
    judged = [
        t.with_evidence(
            Evidence(
                "sums", "verdicts", verdicts=(None, None, "wrong", *[None] * (len(t.steps) - 3))
            )
        )
        for t in wrong
    ]
    plain = run("bisect", judged, policy)
    believed = run("bisect", judged, policy, verdicts=True)
    assert max(t.labels.first_error for t in believed if t.labels) == 2  # type: ignore[type-var]
    assert max(t.labels.first_error for t in plain if t.labels) > 2  # type: ignore[type-var,operator]
    spent = [sum(t.labels.cost.rollouts for t in made if t.labels) for made in (plain, believed)]
    assert spent[1] < spent[0]


def test_a_share_of_the_pass_rate_counts_cut_siblings_as_it_counts_cut_rollouts(
    traces: list[Trace],
) -> None:
    """Six of eight cut: two right are all that ended, or a quarter of what was tried."""
    trace = replace(traces[0], group=Tally(n=8, right=2, wrong=0, cut=6))
    found = Probe(hits=2, rollouts=8)
    for rule, right in (("miss", True), ("drop", False)):
        settings = RolloutSettings(cut=rule)  # type: ignore[arg-type]
        rollouts = Rollouts(Policy({}), Grader(), settings)  # type: ignore[arg-type]
        assert Bisect(pass_rate_share=0.8)._still_right(trace, found, rollouts) is right


class Endless(Policy):
    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        made = await super().complete(prefix, n, sampling, seed)
        return [replace(done, finish="length") for done in made]


@pytest.mark.parametrize("name", ["bisect", "forward", "omega"])
def test_nothing_is_decided_from_rollouts_that_were_all_dropped(
    name: str, traces: list[Trace]
) -> None:
    async def labelled(cut: str) -> list[Trace]:
        settings = RolloutSettings(cut=cut)  # type: ignore[arg-type]
        return [
            trace
            for group in problems(traces)[:10]
            for trace in await apply(
                method(name, "label", {}),
                group,
                Rollouts(Endless({0: 60}), Grader(), settings),  # type: ignore[arg-type]
            )
        ]

    searched = [t for t in asyncio.run(labelled("miss")) if t.labels and t.labels.cost.rollouts]
    failed = [t for t in asyncio.run(labelled("drop")) if t.error]
    assert {t.id for t in failed} >= {t.id for t in searched}
    assert all("raise --max-tokens" in (t.error or "") for t in failed)
    assert len(failed) > 5
