"""The model on torch: compared with transformers, and with itself in other company."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from prmdata.errors import ItemError, SamplerError, UsageError
from prmdata.sampler import ABACUS_MODEL
from prmdata.sampler.local import open_local
from prmdata.sampler.local.draw import draw
from prmdata.sampler.local.sampler import LocalSampler
from prmdata.sampler.local.tokenizer import TextTokenizer
from prmdata.sampler.local.uniform import uniforms
from prmdata.sampler.local.weights import written_out
from prmdata.sampler.protocol import SEED_SPACING, Completion, Sampler, Sampling
from tests.sampler.tiny import CONTEXT, QUESTION, TEXTS, save_tiny

OURS = ("small", "abacus")
KIN = ("mistral", "qwen2", "qwen3")


@pytest.fixture(scope="session", params=OURS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="session", params=OURS + KIN)
def any_kin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("small-alone"), "small")


def with_sampler(
    folder: Path, use: Callable[[LocalSampler], Awaitable[Any]], **options: str
) -> Any:
    async def run() -> Any:
        sampler = await open_local(str(folder), {"device": "cpu", **options}, spec="local:it")
        assert isinstance(sampler, LocalSampler)
        try:
            return await use(sampler)
        finally:
            await sampler.close()

    return asyncio.run(run())


def test_logits_are_those_of_transformers(any_kin: Path) -> None:
    folder = any_kin
    assert written_out(json.loads((folder / "config.json").read_text()))
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = TextTokenizer(folder).encode(QUESTION + "".join(TEXTS))
    with torch.no_grad():
        logits_TV = reference(torch.tensor([ids])).logits[0]

    async def scores(sampler: LocalSampler) -> list[float]:
        text = (QUESTION + "".join(TEXTS)).removeprefix("<bos>")
        return list((await sampler.score("<bos>", text)).logprobs)

    chosen = torch.tensor(ids[1:])[:, None]
    expected = torch.log_softmax(logits_TV[:-1], -1).gather(1, chosen)[:, 0]
    found = torch.tensor(with_sampler(folder, scores, dtype="float32"))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.slow
def test_greedy_text_is_that_of_transformers(any_kin: Path) -> None:
    folder = any_kin
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    words = TextTokenizer(folder)
    ids = words.encode(QUESTION)
    with torch.no_grad():
        whole = reference.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=60,
            do_sample=False,
            pad_token_id=0,
        )
    new = whole[0, len(ids) :].tolist()
    greedy = Sampling(temperature=0, max_tokens=60)
    [found] = with_sampler(folder, lambda s: s.complete(QUESTION, 1, greedy, 0), dtype="float32")
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert (found.text, found.tokens) == (plain.decode(new, skip_special_tokens=True), len(new))


def steady(dtype: str) -> bool:
    """Whether a row of a product has the same bits in any company: that is the processor's."""
    import torch

    torch.manual_seed(0)
    rows, weights = (torch.randn(n, 704, dtype=getattr(torch, dtype)) for n in (340, 256))
    whole = torch.nn.functional.linear(rows, weights)
    return all(
        torch.equal(torch.nn.functional.linear(rows[:n], weights), whole[:n])
        for n in range(16, 340, 3)
    )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_company_changes_no_bit(folder: Path, dtype: str) -> None:
    """Forty calls one by one, then the same among three hundred others in any order."""
    if not steady(dtype):
        pytest.skip(f"{dtype} products depend on the number of rows on this processor")
    chance = random.Random(7)
    calls = [_call(chance, number) for number in range(40)]
    others = [_call(chance, number) for number in range(40, 340)]

    async def alone(sampler: LocalSampler) -> list[list[Completion]]:
        return [await sampler.complete(*call) for call in calls]

    async def together(sampler: LocalSampler) -> list[list[Completion]]:
        everyone = [(number, call) for number, call in enumerate(calls + others)]
        chance.shuffle(everyone)
        found = await asyncio.gather(*(sampler.complete(*call) for _, call in everyone))
        by_number = dict(zip((number for number, _ in everyone), found, strict=True))
        return [by_number[number] for number in range(len(calls))]

    assert with_sampler(folder, alone, dtype=dtype) == with_sampler(folder, together, dtype=dtype)


def _call(chance: random.Random, number: int) -> tuple[str, int, Sampling, int]:
    prefix = QUESTION + "".join(chance.choices(TEXTS, k=chance.choice([0, 1, 2, 4])))
    sampling = Sampling(
        temperature=chance.choice([0.0, 0.7, 1.0, 1.3]),
        top_p=chance.choice([1.0, 1.0, 0.9]),
        top_k=chance.choice([0, 0, 20]),
        max_tokens=chance.choice([1, 5, 12, 30]),
        stop=chance.choice([(), (".\n",)]),
        logprobs=number < 40,
    )
    return prefix, chance.choice([1, 1, 3]), sampling, number * SEED_SPACING


def test_more_samples_than_fit_are_single_calls_with_next_seeds(small: Path) -> None:
    sampling = Sampling(max_tokens=12, logprobs=True)

    async def use(sampler: LocalSampler) -> tuple[list[Completion], list[Completion]]:
        many = await sampler.complete(QUESTION, 7, sampling, 100)
        single = [(await sampler.complete(QUESTION, 1, sampling, 100 + i))[0] for i in range(7)]
        return many, single

    many, single = with_sampler(small, use, max_sequences="3")
    assert many == single
    assert len({c.text for c in many}) > 1


def test_stop_strings_are_found_across_tokens(small: Path) -> None:
    free = Sampling(max_tokens=40)

    async def use(sampler: LocalSampler) -> None:
        for seed in range(20):
            [whole] = await sampler.complete(QUESTION, 1, free, seed)
            for start in range(0, len(whole.text) - 8, 7):
                stop = whole.text[start : start + 5]
                if "\ufffd" in stop:
                    continue
                [cut] = await sampler.complete(
                    QUESTION, 1, replace(free, stop=("never", stop)), seed
                )
                assert cut.text == whole.text[: whole.text.index(stop)]
                assert (cut.finish, cut.tokens <= whole.tokens) == ("stop", True)

    with_sampler(small, use)


def test_stop_of_many_bytes(small: Path) -> None:
    words = TextTokenizer(small)
    ids = words.encode("ok🙂🙃🙂")
    assert len(ids) > 10  # a token a byte
    assert words.stops([1], ids, ("🙂🙃🙂",))
    assert not words.stops([1], ids[:-1], ("🙂🙃🙂",))


def test_text_is_that_of_the_tokenizer(small: Path) -> None:
    words, plain = TextTokenizer(small), Tokenizer.from_file(str(small / "tokenizer.json"))
    ids = plain.encode("日本語 ünï 12.\n").ids
    lead = plain.encode("Question:").ids
    assert words.continuation(lead, [*ids, 2]) == plain.decode(ids)


def test_ends_at_end_token_and_counts_it(small: Path) -> None:
    async def use(sampler: LocalSampler) -> list[Completion]:
        return await sampler.complete(QUESTION, 200, Sampling(max_tokens=60, temperature=1.5), 0)

    found = with_sampler(small, use)
    ended = [c for c in found if c.finish == "stop"]
    assert ended
    assert all(c.tokens == 60 for c in found if c.finish == "length")
    assert not any("<eos>" in c.text for c in ended)


def test_logprobs_are_those_that_score_gives(folder: Path) -> None:
    async def use(sampler: LocalSampler) -> int:
        alike = 0
        for seed in range(60):
            sampling = Sampling(max_tokens=4, logprobs=True, temperature=0.5, top_k=9)
            [completion] = await sampler.complete(QUESTION, 1, sampling, seed)
            assert completion.logprobs is not None
            assert len(completion.logprobs) == completion.tokens
            scored = (await sampler.score(QUESTION, completion.text)).logprobs
            if len(scored) == completion.tokens and "\ufffd" not in completion.text:
                assert completion.logprobs == pytest.approx(scored, abs=2e-4)
                alike += 1
        return alike

    assert with_sampler(folder, use, dtype="float32") > 0


def test_nothing_to_score_and_nothing_to_sample(small: Path) -> None:
    async def use(sampler: LocalSampler) -> tuple[tuple[float, ...], list[Completion]]:
        sampling = Sampling()
        return (await sampler.score(QUESTION, "")).logprobs, await sampler.complete(
            QUESTION, 0, sampling, 0
        )

    assert with_sampler(small, use) == ((), [])


def test_too_long_a_prefix_is_refused_and_a_full_context_ends(small: Path) -> None:
    async def use(sampler: LocalSampler) -> Completion:
        with pytest.raises(ItemError, match="context"):
            await sampler.complete(QUESTION * 40, 1, Sampling(), 0)
        with pytest.raises(ItemError, match="context"):
            await sampler.score(QUESTION, QUESTION * 40)
        found = await sampler.complete(QUESTION * 8, 30, Sampling(), 0)
        used = len(TextTokenizer(small).encode(QUESTION * 8))
        return next(c for c in found if c.tokens == CONTEXT - used)

    assert with_sampler(small, use).finish == "length"


def test_cancelling_frees_the_rows(small: Path) -> None:
    async def use(sampler: LocalSampler) -> None:
        greedy = Sampling(max_tokens=4)
        before = await sampler.complete(QUESTION, 2, greedy, 5)
        tasks = [
            asyncio.create_task(sampler.complete(QUESTION, 4, Sampling(max_tokens=250), i << 16))
            for i in range(50)
        ]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await sampler.complete(QUESTION, 2, greedy, 5) == before
        assert not sampler._runner.running

    with_sampler(small, use, max_sequences="16")


def test_closing_tells_those_who_wait(small: Path) -> None:
    async def use() -> None:
        sampler: Sampler = await open_local(str(small), {"device": "cpu"}, spec="local:it")
        waiting = asyncio.create_task(sampler.complete(QUESTION, 300, Sampling(max_tokens=250), 0))
        await asyncio.sleep(0.1)
        await sampler.close()
        with pytest.raises(SamplerError, match="local:it"):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(SamplerError):
            await sampler.complete(QUESTION, 1, Sampling(), 0)

    asyncio.run(use())


def test_any_seed_will_do(small: Path) -> None:
    async def use(sampler: LocalSampler) -> None:
        for seed in (-1, 2**64 - 1, 2**70):
            await sampler.complete(QUESTION, 2, Sampling(max_tokens=2), seed)

    with_sampler(small, use)


def test_drawn_frequencies_are_the_probabilities() -> None:
    probabilities = np.array([0.5, 0.3, 0.15, 0.05])
    count = 40_000
    logits_BV = torch.from_numpy(np.log(probabilities)).float().expand(count, -1)
    uniform_B = uniforms(np.arange(count, dtype=np.uint64), np.full(count, 3, dtype=np.uint64))
    ones = np.ones(count, dtype=np.float32)

    def frequencies(temperature: float, top_p: float, top_k: int) -> np.ndarray:
        chosen = draw(logits_BV, uniform_B, ones * temperature, ones * top_p, np.full(count, top_k))
        return np.bincount(chosen.numpy(), minlength=4) / count

    assert frequencies(1, 1, 0) == pytest.approx(probabilities, abs=0.01)
    assert frequencies(1, 1, 2) == pytest.approx([0.625, 0.375, 0, 0], abs=0.01)
    assert frequencies(1, 0.75, 0) == pytest.approx([0.625, 0.375, 0, 0], abs=0.01)
    assert frequencies(1, 0, 0) == pytest.approx([1, 0, 0, 0])
    assert frequencies(1e-30, 1, 0) == pytest.approx([1, 0, 0, 0])
    squares = probabilities**2 / (probabilities**2).sum()
    assert frequencies(0.5, 1, 0) == pytest.approx(squares, abs=0.01)


def test_a_restricted_neighbour_leaves_a_row_alone() -> None:
    torch.manual_seed(0)
    logits_BV = torch.randn(500, 3000) * 4
    uniform_B = np.full(500, 1 - 1e-9)  # the far tail, where a rounded limit would bite
    one, zero = np.ones(500, dtype=np.float32), np.zeros(500, dtype=np.int64)
    free = draw(logits_BV, uniform_B, one, one, zero)
    mixed = one.copy()
    mixed[0] = 0.5
    assert torch.equal(draw(logits_BV, uniform_B, one, mixed, zero)[1:], free[1:])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dtyp": "float32"}, "dtype"),
        ({"dtype": "float16"}, "bfloat16"),
        ({"max_sequences": "0"}, "above 0"),
        ({"threads": "two"}, "whole number"),
    ],
)
def test_wrong_options_are_usage_errors(small: Path, options: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        asyncio.run(open_local(str(small), options, spec="local:it"))


def test_a_missing_folder_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(SamplerError, match="folder"):
        asyncio.run(open_local(str(tmp_path / "gone"), {}, spec="local:gone"))


def test_fingerprint_tells_dtypes_apart(small: Path) -> None:
    async def fingerprint(sampler: LocalSampler) -> str:
        return sampler.fingerprint

    exact, half = (with_sampler(small, fingerprint, dtype=d) for d in ("float32", "bfloat16"))
    assert exact != half
    assert exact == with_sampler(small, fingerprint, dtype="float32")


@pytest.mark.skipif(not (ABACUS_MODEL / "config.json").is_file(), reason="no model shipped yet")
def test_the_shipped_model_continues_its_own_prompts() -> None:
    async def use(sampler: LocalSampler) -> list[Completion]:
        prefix = sampler.template.open_turn(
            [
                {
                    "role": "user",
                    "content": "Ada has 3 plums. She buys 4 more plums. How many plums does Ada have?",
                }
            ]
        )
        return await sampler.complete(prefix, 4, Sampling(max_tokens=200), 0)

    assert any(c.finish == "stop" and c.text for c in with_sampler(ABACUS_MODEL, use))
