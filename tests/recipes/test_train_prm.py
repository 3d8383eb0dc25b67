"""The recipe from end to end, on too little to mean anything, and its figures on made-up scores."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from prmdata.records import Trace
from tests.warm import program

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "recipes" / "train_prm"


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module("figures")
    finally:
        sys.path.remove(str(RECIPE))


@pytest.mark.slow
def test_it_runs_small(tmp_path: Path) -> None:
    known = [f"PYTHON={sys.executable}", f"PRMDATA={shlex.join(program())}"]
    done = subprocess.run(
        ["make", "-C", str(RECIPE), "small", f"OUT={tmp_path}", *known],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "8 held-out problems with 4 samples each, 32 traces; seeds: 1;" in done.stdout
    counts = json.loads((tmp_path / "small" / "labels" / "counts.json").read_text())
    assert counts["truth"]["exact"] == 1
    assert counts["posterior"]["tokens"] < counts["bisect"]["tokens"] < counts["mc"]["tokens"]
    assert len(list((tmp_path / "small" / "scores").iterdir())) == 5


def test_a_model_that_knows_the_truth_reaches_the_ceiling(
    figures: ModuleType, traces: list[Trace]
) -> None:
    groups = [traces[i : i + 4] for i in range(0, len(traces), 4)]
    plain = figures.without_models(groups)
    assert plain["pass@1"].mean < plain["majority"].mean < plain["pass@n"].mean
    knowing = {t.id: [float(t.correct is True)] * len(t.steps) for t in traces}
    assert figures.chosen_by(groups, [knowing], min).mean == plain["pass@n"].mean
    none = {t.id: [0.5] * len(t.steps) for t in traces}
    assert figures.chosen_by(groups, [none], min).mean == pytest.approx(plain["pass@1"].mean)
    oracle = {t.id: before(figures.first_error(t), len(t.steps)) for t in traces}
    assert figures.faults(groups, [oracle]).mean == 1
    assert figures.faults(groups, [none]).mean == 0


def before(first: int | None, steps: int) -> list[float]:
    return [float(first is None or i < first) for i in range(steps)]


def test_answers_that_are_as_frequent_share_the_vote(
    figures: ModuleType, traces: list[Trace]
) -> None:
    some = traces[0]
    group = [replace(some, answer=a, correct=a == "1") for a in ("1", "1", "2", "2", "3")]
    assert figures.majority(group) == 0.5
