"""Walking forward, against the values of every step from the same rollouts."""

from __future__ import annotations

from prmdata.records import Trace
from tests.labellers.running import run
from tests.policy import Policy


def test_it_stops_at_the_first_step_without_a_hit(traces: list[Trace], policy: Policy) -> None:
    exhaustive = {t.id: t.evidence[0].hits for t in run("mc", traces, policy)}
    looked_into = 0
    for trace in run("forward", traces, policy):
        if trace.correct:
            assert trace.labels is not None
            assert not trace.labels.examined
            assert trace.labels.cost.rollouts == 0
            continue
        hits = exhaustive[trace.id]
        lost = next(i for i, count in enumerate(hits) if count == 0)
        assert trace.labels is not None
        assert trace.labels.first_error == lost
        asked = trace.evidence[0].rollouts
        assert asked[: min(lost + 1, len(asked) - 1)] == (8,) * min(lost + 1, len(asked) - 1)
        assert set(asked[lost + 1 :]) <= {None}
        looked_into += 1
    assert looked_into > 30
