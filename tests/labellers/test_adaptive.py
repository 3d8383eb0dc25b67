"""More rollouts where the interval is wide; the interval against its definition."""

from __future__ import annotations

import math
import random

import pytest

from prmdata.intervals import wilson
from prmdata.records import Trace
from tests.labellers.running import run
from tests.policy import Policy


def test_uncertain_steps_get_more_than_clear_ones(traces: list[Trace], policy: Policy) -> None:
    made = run("adaptive", traces[:60], policy)
    spent: dict[bool, list[int]] = {True: [], False: []}
    for trace in made:
        evidence = trace.evidence[0]
        for hits, count in list(zip(evidence.hits, evidence.rollouts, strict=True))[:-1]:
            assert hits is not None
            assert count in (4, 8, 12, 16)
            low, high = wilson(hits, count, 1.96)
            assert high - low <= 0.45 or count == 16
            spent[hits in (0, count)].append(count)
    assert max(spent[True]) < 16 == max(spent[False])
    clear, open_ones = (sum(spent[c]) / len(spent[c]) for c in (True, False))
    assert open_ones > 1.4 * clear


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
