from __future__ import annotations

import random

import pytest

from prmdata.dataset.near_duplicates import HASHES, NearDuplicates, rows_per_band
from prmdata.dataset.wording import runs, words

RANDOM = random.Random(5)
VOCABULARY = [f"w{n}" for n in range(300)]
QUESTIONS = [" ".join(RANDOM.choices(VOCABULARY, k=40)) for _ in range(1500)]


def similarity(one: str, other: str) -> float:
    a, b = (set(runs(words(text), 3)) for text in (one, other))
    return len(a & b) / len(a | b)


def edited(question: str) -> str:
    said = question.split()
    for _ in range(RANDOM.randint(1, 4)):
        said[RANDOM.randrange(len(said))] = f"x{RANDOM.randrange(100)}"
    return " ".join(said)


@pytest.mark.parametrize("least", [0.6, 0.8])
def test_pairs_are_found_that_comparing_all_finds(least: float) -> None:
    seen = NearDuplicates(least)
    assert not any(seen.earlier(str(n), question) for n, question in enumerate(QUESTIONS))
    wanted = found = wrong = 0
    for number, question in enumerate(QUESTIONS):
        other = edited(question)
        earlier = seen.earlier(f"edited {number}", other)
        if similarity(question, other) >= least:
            wanted += 1
            found += earlier == str(number)
        else:
            wrong += earlier is not None
    assert wanted > 300
    assert found >= 0.98 * wanted
    assert wrong == 0


def test_the_same_wording_is_one() -> None:
    seen = NearDuplicates(1)
    assert seen.earlier("a", "What is 2 + 2?") is None
    assert seen.earlier("b", "what is\n2+2") == "a"
    assert seen.earlier("c", "What is 2 + 3?") is None
    assert seen.earlier("d", "") is None
    assert seen.earlier("e", " ") == "d"


def test_many_alike_cost_no_more_than_a_few_comparisons() -> None:
    seen = NearDuplicates(0.9)
    start = " ".join(VOCABULARY[:12])
    for number in range(400):
        seen.earlier(str(number), f"{start} {' '.join(RANDOM.choices(VOCABULARY, k=4))}")
    assert seen.earlier("last", f"{start} {' '.join(RANDOM.choices(VOCABULARY, k=4))}") is None


@pytest.mark.parametrize("similarity", [0.1, 0.5, 0.8, 0.95, 1])
def test_bands_find_what_is_just_similar_enough(similarity: float) -> None:
    rows = rows_per_band(similarity)
    chance = 1 - (1 - similarity**rows) ** (HASHES // rows)
    assert chance >= 0.99 or rows == 1
