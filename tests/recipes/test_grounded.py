"""The recipe from end to end, on too little to mean anything, and its README against its table."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import prmdata
from tests.warm import program

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "recipes" / "grounded"


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        sys.modules.pop("figures", None)  # another recipe has one of that name
        return importlib.import_module("figures")
    finally:
        sys.modules.pop("figures", None)
        sys.path.remove(str(RECIPE))


@pytest.mark.slow
def test_it_runs_small(tmp_path: Path, figures: ModuleType) -> None:
    known = [f"PYTHON={sys.executable}", f"PRMDATA={shlex.join(program())}"]
    done = subprocess.run(
        ["make", "-C", str(RECIPE), "small", f"OUT={tmp_path}", *known],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    made = tmp_path / "small"
    scores = {name: json.loads((made / f"{name}.json").read_text()) for name in figures.NAMES}
    assert {score["traces"] for score in scores.values()} == {16}
    assert scores["hybrid"]["tokens"] == 0 < scores["posterior-verdicts"]["tokens"]
    assert scores["posterior-verdicts"]["tokens"] < scores["bisect"]["tokens"]
    labelled = list(prmdata.read(made / "hybrid.jsonl"))
    refuted = [t for t in labelled if "wrong" in t.evidence_named("arithmetic").verdicts]  # type: ignore[union-attr]
    assert refuted
    assert "16 traces, " in done.stdout
    assert "\\boxed{-}" in figures.sample(made / "dataset")


def test_the_readme_has_the_table_and_what_it_says(figures: ModuleType) -> None:
    text = (RECIPE / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.+?) \| ([\d.]+ \| [\d.]+ \| \d+) \|$", text, re.MULTILINE))
    assert list(rows) == list(figures.NAMES.values())
    f1, tokens = (
        {name: float(rows[told].split(" | ")[at]) for name, told in figures.NAMES.items()}
        for at in (0, 2)
    )
    assert f1["tree-verdicts"] == max(f1.values())
    assert f1["tree-verdicts"] - f1["posterior-verdicts"] < 0.035
    assert 5 < tokens["tree-verdicts"] / tokens["posterior-verdicts"] < 6
    assert f1["posterior-verdicts"] > f1["bisect-verdicts"]
    assert 0 <= f1["hybrid"] - f1["hybrid-0"] < 0.005
    assert f1["tree"] < f1["tree-verdicts"]
    assert tokens["hybrid"] == 0
    assert 7 < tokens["bisect-verdicts"] / tokens["posterior-verdicts"] < 8
    assert "refutes it: " in text


def test_text_between_marks_is_replaced(figures: ModuleType) -> None:
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    assert figures.put(text, "x", "\\boxed{+}\n") == (
        "a\n<!-- x -->\n\\boxed{+}\n<!-- end of x -->\nb\n"
    )
