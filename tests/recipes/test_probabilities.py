"""The figures of signals: their arithmetic, and that what tunes is not what is counted."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from prmdata.records import Cost

RECIPE = Path(__file__).parents[2] / "recipes" / "probabilities"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        sys.modules.pop("measure", None)  # another recipe has one of that name
        return importlib.import_module("measure")
    finally:
        sys.path.remove(str(RECIPE))


def test_the_auc_counts_pairs_and_ties_as_halves(measure: ModuleType) -> None:
    chance = np.random.default_rng(1)
    signal = chance.integers(6, size=60)
    right = chance.random(60) < 0.4
    pairs = [(up > down) + 0.5 * (up == down) for up in signal[right] for down in signal[~right]]
    assert measure.auc(signal, right) == pytest.approx(np.mean(pairs))
    assert np.isnan(measure.auc([1.0, 2.0], [True, True]))


def test_steps_are_read_off_a_signal(measure: ModuleType) -> None:
    def row(first: int, *numbers: float | None) -> object:
        return measure.Row("p", {"rewards": numbers}, first, False, Cost())

    rows = [row(1, 0.9, 0.1, 0.0), row(0, 0.2, None, 0.3), row(2, 0.8, 0.7, 0.1)]
    ways = measure.readings(rows)
    assert measure.exact(rows, ways[0]) == pytest.approx(2 / 3)
    assert max(measure.exact(rows, way) for way in ways) == 1.0
    halves = [measure.tunes(f"problem {i}") for i in range(400)]
    assert 150 < sum(halves) < 250


def test_a_table_replaces_the_one_before(measure: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end of x -->\nb\n")
    measure.into(page, "x", "new")
    assert page.read_text() == "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"
