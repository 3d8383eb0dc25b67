"""The recipe on simulated judges: folds by problem, every row of the table, a marked place filled."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.imports.test_judgements import as_row
from tests.labellers.fusion.panels import Simulated, traces

RECIPE = Path(__file__).parents[2] / "recipes" / "judge_fusion"
JUDGES = [Simulated("a", 0.05, 0.7), Simulated("b", 0.03, 0.6), Simulated("c", 0.1, 0.8)]


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        sys.modules.pop("measure", None)  # another recipe has one of that name
        return importlib.import_module("measure")
    finally:
        sys.path.remove(str(RECIPE))


def test_the_recipe_from_rows_to_a_table(
    measure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, firsts = traces(JUDGES, 120, seed=2)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(as_row(t, firsts[t.id])) + "\n" for t in given))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table -->\nold\n<!-- end of table -->\nafter\n")
    words = ["measure.py", str(rows), "--audited", "40", "--into", str(page)]
    monkeypatch.setattr(sys, "argv", words)
    measure.main()
    text = page.read_text()
    assert "old" not in text
    assert text.endswith("after\n")
    table = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    exact = {line[0].strip("| `"): float(line[1].split()[0]) for line in table}
    assert len(exact) == 8
    best = next(value for name, value in exact.items() if name.startswith("best judge"))
    assert exact["weaver`, no label"] > best


def test_folds_keep_problems_together(measure: ModuleType) -> None:
    given, _ = traces(JUDGES, 80, seed=3)
    fold = measure.folds_of(given, 5, 0)
    for problem in {t.problem.id for t in given}:
        assert len({f for t, f in zip(given, fold, strict=True) if t.problem.id == problem}) == 1
    assert set(fold) == set(range(5))
