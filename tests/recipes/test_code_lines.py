"""The recipe for code: its exercises are what they claim to be, and its steps run on a few."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import prmdata
from tests.verifiers.boxed import checked
from tests.verifiers.test_variants import made_of

RECIPE = Path(__file__).parent.parent.parent / "recipes" / "code_lines"


@pytest.fixture(scope="module")
def recipe() -> tuple[ModuleType, ModuleType]:
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module("problems"), importlib.import_module("measure")
    finally:
        sys.path.remove(str(RECIPE))


def passes(program: str, tests: tuple[str, ...]) -> bool:
    world: dict[str, object] = {}
    exec(program, world)
    try:
        for test in tests:
            exec(test, world)
    except Exception:  # noqa: BLE001  a broken program may fail in any way
        return False
    return True


def test_each_exercise_has_one_line_that_breaks_it(recipe: tuple[ModuleType, ModuleType]) -> None:
    found = recipe[0].exercises(RECIPE / "exercises.txt")
    assert len(found) >= 30
    assert len({exercise.name for exercise in found}) == len(found)
    for exercise in found:
        pairs = zip(exercise.right.splitlines(), exercise.broken.splitlines(), strict=True)
        assert [i for i, (a, b) in enumerate(pairs, 1) if a != b] == [exercise.line]
        assert passes(exercise.right, exercise.tests), exercise.name
        assert not passes(exercise.broken, exercise.tests), exercise.name


def test_the_steps_of_the_recipe_on_a_few_programs(
    recipe: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    problems, measure = recipe
    problems.main(str(tmp_path / "p.jsonl"), str(tmp_path / "t.jsonl"))
    made = list(prmdata.read(tmp_path / "t.jsonl"))
    assert len(made) == 2 * len(problems.exercises(RECIPE / "exercises.txt"))
    few = [t for t in made if t.problem.id in ("largest", "celsius")]
    evidence = checked("unit-tests", *few)
    judged = [t.with_evidence(e) for t, e in zip(few, evidence, strict=True)]
    counts = measure.counted(judged)
    assert counts["found alone"] == counts["wrong programs"] == 2
    assert counts["others called wrong"] == 0
    assert counts["called right in right programs"] >= 4
    assert "| its line called wrong | 2 of 2 |" in measure.table(counts)


def test_rewritten_lines_are_counted_by_how_they_came_about(
    recipe: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    problems, measure = recipe
    problems.main(str(tmp_path / "p.jsonl"), str(tmp_path / "t.jsonl"))
    made = [t for t in prmdata.read(tmp_path / "t.jsonl") if t.problem.id == "largest"]
    lines, counts = made_of(*made, mutations=1, refactorings=1)
    assert counts["programs_that_fail"] == 1
    table = measure.lines_table(lines)
    assert sum(map(int, re.findall(r"\d+", table))) == len(lines) > 4
    readme = (RECIPE / "README.md").read_text(encoding="utf-8")
    written = measure.put(readme, "lines", table)
    assert table in written
    assert measure.put(written, "lines", "") != readme


def test_the_figures_in_the_readme_are_of_all_programs() -> None:
    text = (RECIPE / "README.md").read_text(encoding="utf-8")
    assert "| programs with one wrong line | 34 |" in text
