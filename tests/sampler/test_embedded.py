"""The embedded model on numpy: compared with torch, and with itself in other company."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prmdata.errors import UsageError
from prmdata.problems import abacus
from prmdata.sampler import Sampler, open_sampler
from prmdata.sampler.embedded import products
from prmdata.sampler.embedded.draw import draw
from prmdata.sampler.local.sequences import Draws
from prmdata.sampler.local.uniform import uniforms
from prmdata.sampler.protocol import SEED_SPACING, Completion, Sampling, Scored

QUESTIONS = [
    f"<bos>Question: {problem.question}\n"
    for problem in abacus.read("12?seed=3", lambda rows: rows)
]
STEPS = ["Step 1: Ada then has 3 + 4 = 7 plums.\n", "Step 2: Ada gives away 4 * 8 = 32 eggs.\n"]


def with_sampler(
    use: Callable[[Sampler], Awaitable[Any]], spec: str = "abacus", **options: str
) -> Any:
    async def run() -> Any:
        sampler = await open_sampler(spec, options)
        try:
            return await use(sampler)
        finally:
            await sampler.close()

    return asyncio.run(run())


def _calls() -> list[tuple[str, int, Sampling, int]]:
    chance = random.Random(7)
    return [
        (
            chance.choice(QUESTIONS)
            + "".join(chance.choices(STEPS, k=chance.choice([0, 1, 2, 5]))),
            chance.choice([1, 1, 3]),
            Sampling(
                temperature=chance.choice([0.0, 0.7, 1.0, 1.3]),
                top_p=chance.choice([1.0, 1.0, 0.9]),
                top_k=chance.choice([0, 0, 20]),
                max_tokens=chance.choice([1, 5, 12, 40]),
                stop=chance.choice([(), (".\n",)]),
                logprobs=number < 12,
            ),
            number * SEED_SPACING,
        )
        for number in range(70)
    ]


async def alone(sampler: Sampler) -> list[list[Completion]]:
    return [await sampler.complete(*call) for call in _calls()[:12]]


async def among_others(sampler: Sampler) -> list[list[Completion]]:
    calls = _calls()
    order = random.Random(1).sample(range(len(calls)), len(calls))
    found = await asyncio.gather(*(sampler.complete(*calls[number]) for number in order))
    by_number = dict(zip(order, found, strict=True))
    return [by_number[number] for number in range(12)]


def test_company_and_threads_change_no_bit() -> None:
    assert with_sampler(alone, threads="1") == with_sampler(among_others, threads="3")


@pytest.mark.slow
def test_company_changes_no_bit_where_products_of_blas_are_unsteady() -> None:
    code = (
        "from tests.sampler import test_embedded as t; "
        "assert t.with_sampler(t.alone) == t.with_sampler(t.among_others)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OPENBLAS_CORETYPE": "Haswell"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_unsteady_products_go_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.ones((8, 5), np.float32)
    assert products.steady([matrix]) is products.together
    noise = np.random.default_rng(0)

    def unsteady(x: Any, m: Any) -> Any:
        return x @ m + noise.standard_normal((len(x), m.shape[1]), dtype=np.float32)

    monkeypatch.setattr(products, "together", unsteady)
    assert products.steady([matrix]) is products.row_by_row
    x = np.random.default_rng(1).standard_normal((3, 8), dtype=np.float32)
    np.testing.assert_allclose(products.row_by_row(x, matrix), x @ matrix, rtol=1e-5)


@pytest.mark.slow
def test_it_says_what_torch_says() -> None:
    greedy = Sampling(temperature=0, max_tokens=120)

    async def use(sampler: Sampler) -> tuple[list[str], list[Scored]]:
        texts = [(await sampler.complete(q, 1, greedy, 0))[0].text for q in QUESTIONS[:3]]
        return texts, [await sampler.score(q, "".join(STEPS), 3) for q in QUESTIONS[:3]]

    texts, scores = with_sampler(use)
    their_texts, their_scores = with_sampler(use, "local:abacus", device="cpu", dtype="float32")
    assert texts == their_texts
    for own, theirs in zip(scores, their_scores, strict=True):
        np.testing.assert_allclose(own.logprobs, theirs.logprobs, atol=1e-4)
        np.testing.assert_allclose(own.entropies, theirs.entropies, atol=1e-4)
        np.testing.assert_allclose(own.certainties, theirs.certainties, atol=1e-4)
        assert [place[0][0] for place in own.top] == [place[0][0] for place in theirs.top]
        assert {len(place) for place in own.top} == {3}


def test_drawn_frequencies_are_the_probabilities() -> None:
    probabilities = np.array([0.5, 0.3, 0.15, 0.05])
    count = 40_000
    logits_BV = np.tile(np.log(probabilities).astype(np.float32), (count, 1))
    uniform_B = uniforms(np.arange(count, dtype=np.uint64), np.full(count, 3, dtype=np.uint64))
    ones = np.ones(count, dtype=np.float32)

    def frequencies(temperature: float, top_p: float, top_k: int) -> np.ndarray:
        draws = Draws(uniform_B, ones * temperature, ones * top_p, np.full(count, top_k), [])
        return np.bincount(draw(logits_BV, draws)[0], minlength=4) / count

    assert frequencies(1, 1, 0) == pytest.approx(probabilities, abs=0.01)
    assert frequencies(1, 1, 2) == pytest.approx([0.625, 0.375, 0, 0], abs=0.01)
    assert frequencies(1, 0.75, 0) == pytest.approx([0.625, 0.375, 0, 0], abs=0.01)
    assert frequencies(1, 0, 0) == pytest.approx([1, 0, 0, 0])
    assert frequencies(1e-30, 1, 0) == pytest.approx([1, 0, 0, 0])
    assert frequencies(0, 1, 0) == pytest.approx([1, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dtype": "float32"}, "local:abacus"),
        ({"thread": "2"}, "did you mean 'threads'"),
        ({"threads": "0"}, "above 0"),
    ],
)
def test_wrong_options_are_usage_errors(options: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        asyncio.run(open_sampler("abacus", options))
