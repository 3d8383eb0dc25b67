"""What the small judge is taught is what the oracle says, in a form that `judge` reads."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from prmdata.judges.reading.critiques import critique

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def recipe() -> tuple[ModuleType, ModuleType]:
    sys.path.insert(0, str(RECIPES / "train_judge"))
    try:
        return importlib.import_module("critiques"), importlib.import_module("words")
    finally:
        sys.path.remove(str(RECIPES / "train_judge"))


def test_critiques_can_be_read_and_say_what_is_true(
    recipe: tuple[ModuleType, ModuleType],
) -> None:
    critiques, words = recipe
    made = critiques.Critiques(words.judging_tokenizer(), 1)
    wrong = 0
    for _ in range(100):
        asked, said = made.critique()
        steps = asked.rstrip("\n").count("\n")
        found = critique(said, steps)
        assert found is not None
        wrong += found.first_wrong is not None
        assert said.count("wrong") == (found.first_wrong is not None)
    assert 40 < wrong < 90


def test_only_the_critique_is_learned(recipe: tuple[ModuleType, ModuleType]) -> None:
    critiques, words = recipe
    tokenizer = words.judging_tokenizer()
    ids, mask = next(critiques.Critiques(tokenizer, 2).documents())
    learned = tokenizer.decode([i for i, m in zip(ids, mask, strict=True) if m])
    assert learned.startswith("Step 1:")
    assert "Question" not in learned
    assert tokenizer.decode(ids[: mask.index(True)]).endswith(".\n\n")
