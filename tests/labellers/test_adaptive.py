"""More rollouts where the interval is wide; the interval against its definition."""

from __future__ import annotations

import math
import random

import pytest

from prmdata.intervals import wilson
from prmdata.labellers.adaptive import Adaptive
from prmdata.records import Trace
from tests.labellers.running import run
from tests.policy import Policy


@pytest.mark.parametrize("settings", [{}, {"width": 0.5, "without_hit": 12}, {"at_first": 3}])
def test_each_step_gets_rollouts_until_it_is_clear(
    settings: dict[str, float], traces: list[Trace], policy: Policy
) -> None:
    how = Adaptive(**settings)  # type: ignore[arg-type]
    asked = set()
    for trace in run("adaptive", traces[:60], policy, **settings):
        evidence = trace.evidence[0]
        for hits, count in list(zip(evidence.hits, evidence.rollouts, strict=True))[:-1]:
            assert hits is not None
            assert count is not None
            low, high = wilson(hits, count, 1.96)
            assert count == how.at_most or high - low <= how.width
            assert hits or count >= how.without_hit
            asked.add(count)
    assert how.at_first in asked
    assert len(asked) > 1


def test_it_reads_any_hit_as_mc_does_for_less(traces: list[Trace], policy: Policy) -> None:
    """On the frozen bank too: `make -C recipes/compare_methods`."""
    ours, theirs = run("adaptive", traces, policy), run("mc", traces, policy, rollouts_per_step=8)
    for trace, other in zip(ours, theirs, strict=True):
        hard = [[bool(hits) for hits in t.evidence[0].hits] for t in (trace, other)]
        assert hard[0] == hard[1]
    tokens = [sum(t.evidence[0].cost.tokens for t in made) for made in (ours, theirs)]
    assert tokens[0] < 0.85 * tokens[1]


def test_wilson_solves_its_equation() -> None:
    """Both ends are where the share seen lies `deviations` standard errors off."""
    chance = random.Random(0)
    for _ in range(50):
        n = chance.randrange(1, 40)
        hits = chance.randrange(n + 1)
        for p in wilson(hits, n, 1.96):
            if 0 < p < 1:
                off = abs(hits / n - p) / math.sqrt(p * (1 - p) / n)
                assert off == pytest.approx(1.96)
    assert wilson(0, 0, 1.96) == (0, 1)
