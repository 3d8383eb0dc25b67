"""The comparison of methods, on a part of its frozen rollouts."""

from __future__ import annotations

import hashlib
import importlib
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from prmdata.labellers import method

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "recipes" / "compare_methods"


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module("compare")
    finally:
        sys.path.remove(str(RECIPE))


def test_generator_models_and_rollouts_are_the_frozen_ones() -> None:
    lines = (RECIPE / "data" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 8
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.slow
def test_posterior_is_as_exact_as_every_baseline_for_a_fraction(compare: ModuleType) -> None:
    """On fifty problems of the bank; exact, since all rollouts are frozen."""
    stand = compare.laid_out(
        RECIPE / "data" / "traces.parquet", RECIPE / "data" / "rollouts.parquet"
    )
    assert stand.depth == 64
    stand.groups = stand.groups[:50]
    ours = compare.Row("posterior", compare.run(stand, "posterior"))
    figures, tables = ours.figures(), sys.modules["tables"]
    assert figures["confidence"] < figures["exact"] + 0.02  # modest here: belief/reading.py
    assert figures["ece"] < 0.15
    for name, how in compare.BASELINES.items():
        if how[0] in ("mc", "adaptive"):
            continue  # they cost most of the time, and are dearer by far
        other = compare.Row(name, compare.baseline(stand, *how))
        theirs = other.figures()
        halves = (tables.interval(row.results, tables.exact) for row in (ours, other))
        margin = math.hypot(*halves)  # half of the 95 % interval of the difference, if unpaired
        assert figures["exact"] > theirs["exact"] - margin, name
    assert figures["tokens"] * 2 < theirs["tokens"]


def test_omega_bisects_like_bisect_on_its_first_search(compare: ModuleType) -> None:
    """A problem with one wrong trace leaves omega nothing but that trace, at first."""
    stand = compare.laid_out(
        RECIPE / "data" / "traces.parquet", RECIPE / "data" / "rollouts.parquet"
    )
    alone = [g for g in stand.groups if sum(not t.correct for t in g) == 1]
    stand.groups = [g for g in alone if all(t.id in stand.looked_at for t in g if not t.correct)]
    assert len(stand.groups) > 10
    omega = stand.run(method("omega", "label", {"searches": 1, "grow": False}))
    bisect = stand.run(method("bisect", "label", {}))
    said = [[t.labels.first_error for t in made if not t.correct] for made in (omega, bisect)]
    assert said[0] == said[1]


def test_tokens_at_an_f1_lie_between_the_neighbours(compare: ModuleType) -> None:
    def row(tokens: int, exact: int) -> object:
        results = [
            compare.Result("p", truth, truth if i < exact else 9, True, None, tokens, 1, 1)
            for truth in (1, 1)
            for i in range(10)
        ]
        return compare.Row("r", results)

    frontier = [row(100, 5), row(400, 7), row(300, 4)]
    assert sys.modules["tables"].tokens_at(frontier, 0.6) == pytest.approx(200)
    assert sys.modules["tables"].tokens_at(frontier, 0.3) == 100
    assert sys.modules["tables"].tokens_at(frontier, 0.71) is None


@pytest.mark.slow
def test_verdicts_make_it_cheaper(compare: ModuleType) -> None:
    stand = compare.laid_out(
        RECIPE / "data" / "traces.parquet", RECIPE / "data" / "rollouts.parquet"
    )
    stand.groups = stand.groups[:20]
    alone = compare.Row("posterior", compare.run(stand, "posterior"))
    without, tables = alone.figures(), sys.modules["tables"]
    stand.groups = compare.verified(stand.groups)
    given = compare.Row("posterior", compare.run(stand, "posterior")).figures()
    assert given["tokens"] < 0.6 * without["tokens"]
    margin = tables.interval(alone.results, tables.exact)  # twenty problems: half of the 95 %
    assert given["exact"] >= without["exact"] - margin
