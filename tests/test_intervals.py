"""Intervals hold the true share as often as they say, also where traces come in problems."""

from __future__ import annotations

import random

import numpy as np
import pytest

from prmdata.intervals import DEVIATIONS, bootstrap, clustered_wilson, wilson

SHARE = 0.7


def drawn(chance: random.Random, problems: int, traces: int) -> list[tuple[int, int]]:
    """Problems of which most are labelled all right or all wrong."""
    found = []
    for _ in range(problems):
        easy = chance.betavariate(SHARE / 2, (1 - SHARE) / 2)
        found.append((sum(chance.random() < easy for _ in range(traces)), traces))
    return found


def test_shares_of_clustered_traces_are_covered() -> None:
    chance = random.Random(0)
    held, naive = 0, 0
    for _ in range(400):
        counts = drawn(chance, 20, 8)
        hits, of = sum(h for h, _ in counts), 160
        low, high = clustered_wilson(counts)
        held += low <= SHARE <= high
        low, high = wilson(hits, of, DEVIATIONS)
        naive += low <= SHARE <= high
    assert held > 0.91 * 400
    assert naive < 0.75 * 400  # what an interval of 160 single traces would hold


def test_a_share_of_single_traces_is_wilsons() -> None:
    counts = [(1, 1)] * 6 + [(0, 1)] * 4
    low, high = clustered_wilson(counts)
    assert (low, high) == pytest.approx(wilson(6, 10, DEVIATIONS))
    assert clustered_wilson([(8, 8)] * 5) == wilson(5, 5, DEVIATIONS)  # five problems, not 40
    assert clustered_wilson([(3, 8)]) == pytest.approx(wilson(3 / 8, 1, DEVIATIONS))
    assert clustered_wilson([]) == (0.0, 1.0)


def test_the_bootstrap_covers_too_and_is_the_same_each_time() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(150):
        counts = np.array(drawn(chance, 40, 4), dtype=float)

        def measure(weights: np.ndarray, counts: np.ndarray = counts) -> dict[str, float]:
            hits, of = weights @ counts
            return {"share": hits / of, "nothing": float("nan")}

        found = bootstrap(40, measure, replicates=200)
        assert found == bootstrap(40, measure, replicates=200)
        assert found.keys() == {"share"}
        low, high = found["share"]
        held += low <= SHARE <= high
    assert held > 0.88 * 150
    assert bootstrap(1, lambda weights: {"share": 1.0}) == {}
