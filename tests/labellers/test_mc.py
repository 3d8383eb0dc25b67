"""A value for every step, counted from its rollouts."""

from __future__ import annotations

import pytest

from prmdata.errors import ItemError
from prmdata.records import Trace
from tests.labellers.running import run
from tests.policy import Policy


def test_the_last_step_is_graded_and_never_rolled_out(traces: list[Trace], policy: Policy) -> None:
    policy.calls.clear()
    for trace in run("mc", traces[:8], policy, rollouts_per_step=3):
        evidence = trace.evidence[0]
        assert evidence.values[-1] == float(trace.correct is True)
        assert evidence.rollouts[-1] == 1
        assert set(evidence.rollouts[:-1]) <= {3}
    asked = [prefix for prefix, _, _ in policy.calls]
    assert not any("The answer" in prefix for prefix in asked)


def test_one_trace_that_cannot_be_continued_fails_alone(traces: list[Trace]) -> None:
    class Short(Policy):
        async def complete(self, prefix: str, n: int, sampling: object, seed: int) -> list:  # type: ignore[override]
            if prefix.count("Step") == 1:
                raise ItemError("too long")
            return await super().complete(prefix, n, sampling, seed)  # type: ignore[arg-type]

    made = run("mc", traces[:4], Short({0: 60}))
    assert [t.error for t in made if len(t.steps) > 2] == ["too long"] * sum(
        len(t.steps) > 2 for t in made
    )


def test_values_are_the_share_of_hits_and_stop_early_where_asked(
    traces: list[Trace], policy: Policy
) -> None:
    """At the first hit, k is how many it took: the hard reading stays, the values are bent."""
    whole = run("mc", traces[:24], policy, rollouts_per_step=8)
    early = run("mc", traces[:24], policy, rollouts_per_step=8, first_hit=True)
    fewer = 0
    for trace, other in zip(whole, early, strict=True):
        full, short = trace.evidence[0], other.evidence[0]
        assert short.stopping == "first-hit"
        for value, hits, count in zip(full.values, full.hits, full.rollouts, strict=True):
            assert value == pytest.approx((hits or 0) / (count or 1))
        assert [bool(h) for h in full.hits] == [bool(h) for h in short.hits]
        fewer += full.cost.rollouts - short.cost.rollouts
    assert fewer > 100
