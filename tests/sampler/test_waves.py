"""Architectures that transformers runs: what its own `generate` and logits say, in any company."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.local import open_local
from prmdata.sampler.local.sampler import LocalSampler
from prmdata.sampler.local.scoring import Places, Text
from prmdata.sampler.local.sequences import Request, Sequence
from prmdata.sampler.local.tokenizer import TextTokenizer
from prmdata.sampler.local.waves import Waves, load_causal
from prmdata.sampler.protocol import SEED_SPACING, Completion, Sampling
from tests.sampler.tiny import CONTEXT, QUESTION, TEXTS, save_tiny

PREFIXES = [QUESTION + "".join(TEXTS[:i]) + "So " * j for i in range(3) for j in (0, 1, 4)]

LONGER = {
    name: pytest.param(name, marks=pytest.mark.slow) for name in ("gpt_neox", "gemma2", "phi")
}


@pytest.fixture(
    scope="module", params=["gpt2", LONGER["gpt_neox"], LONGER["gemma2"], LONGER["phi"]]
)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("gpt2-alone"), "gpt2")


def with_sampler(
    folder: Path, use: Callable[[LocalSampler], Awaitable[Any]], **options: str
) -> Any:
    async def run() -> Any:
        sampler = await open_local(str(folder), {"device": "cpu", **options}, spec="local:it")
        assert isinstance(sampler, LocalSampler)
        assert isinstance(sampler._runner, Waves)
        try:
            return await use(sampler)
        finally:
            await sampler.close()

    return asyncio.run(run())


async def together(
    sampler: LocalSampler, sampling: Sampling, n: int = 1, prefixes: list[str] = PREFIXES
) -> list[list[Completion]]:
    calls = (sampler.complete(p, n, sampling, i * SEED_SPACING) for i, p in enumerate(prefixes))
    return await asyncio.gather(*calls)


@pytest.mark.slow
def test_greedy_in_company_is_what_generate_gives_alone(folder: Path) -> None:
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    words = TextTokenizer(folder)
    found = with_sampler(folder, lambda s: together(s, Sampling(temperature=0, max_tokens=25)))
    for prefix, [completion] in zip(PREFIXES, found, strict=True):
        ids = words.encode(prefix)
        with torch.no_grad():
            whole = reference.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=25,
                do_sample=False,
                pad_token_id=0,
            )
        new = whole[0, len(ids) :].tolist()
        assert completion.tokens == len(new)
        assert completion.text == words.continuation(ids, [t for t in new if t != 2])


def test_scores_are_the_logits_of_transformers(folder: Path) -> None:
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    text = QUESTION + "".join(TEXTS)
    ids = TextTokenizer(folder).encode(text)
    with torch.no_grad():
        log_TV = torch.log_softmax(reference(torch.tensor([ids])).logits[0, :-1], -1)
    expected = log_TV.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    found = with_sampler(folder, lambda s: s.score("<bos>", text.removeprefix("<bos>"))).logprobs
    torch.testing.assert_close(torch.tensor(found), expected, rtol=1e-5, atol=1e-5)
    later = with_sampler(folder, lambda s: s.score(QUESTION, "".join(TEXTS))).logprobs
    assert later == pytest.approx(found[-len(later) :], abs=1e-5)


def test_logprobs_in_company_are_those_of_a_plain_pass(folder: Path) -> None:
    """Padding, places and the cache are right: a wrong one would move every number."""
    words = TextTokenizer(folder)
    cpu = torch.device("cpu")
    waves = Waves(load_causal(folder, torch.float32, cpu), words, 64)
    sampling = Sampling(max_tokens=30, logprobs=True)
    seen: dict[int, Sequence] = {}
    for wave in (PREFIXES[1::2], PREFIXES[::2]):  # the second begins beside the first
        for prefix in wave:
            request = Request(words.encode(prefix), 3, sampling, len(prefix), 30, lambda done: None)
            waves.waiting.append(request)
        waves.admit()
        waves.step()
        seen |= {id(sequence): sequence for sequence in waves.running}
    assert len(waves.waves) == 2
    while waves.busy:
        waves.step()
    assert len(seen) > 2 * len(PREFIXES)
    for sequence in seen.values():
        ids = sequence.request.ids
        alone: list[Places] = []
        waves.texts.append(Text([*ids, *sequence.ids], len(ids), 0, alone.append))
        waves.score()
        assert sequence.logprobs == pytest.approx(alone[0].logprobs, abs=2e-5)


def test_company_changes_no_word(folder: Path) -> None:
    """Not promised to the last bit, but of a thousand tokens in float32 none should change."""
    chance = random.Random(3)
    sampling = Sampling(max_tokens=30, stop=("er",))
    others = [QUESTION + "".join(chance.choices(TEXTS, k=3)) for _ in range(40)]

    async def use(sampler: LocalSampler) -> tuple[Any, Any]:
        alone = [
            await sampler.complete(p, 1, sampling, i * SEED_SPACING) for i, p in enumerate(PREFIXES)
        ]
        return alone, await together(sampler, sampling, 1, PREFIXES + others)

    alone, crowded = with_sampler(folder, use)
    assert crowded[: len(alone)] == alone


def test_more_samples_than_fit_are_single_calls_with_next_seeds(gpt2: Path) -> None:
    sampling = Sampling(max_tokens=12)

    async def use(sampler: LocalSampler) -> tuple[list[Completion], list[Completion]]:
        many = await sampler.complete(QUESTION, 7, sampling, 100)
        single = [(await sampler.complete(QUESTION, 1, sampling, 100 + i))[0] for i in range(7)]
        return many, single

    many, single = with_sampler(gpt2, use, max_sequences="3")
    assert many == single
    assert len({c.text for c in many}) > 1


def test_stop_strings_and_ends(gpt2: Path) -> None:
    async def use(sampler: LocalSampler) -> None:
        [whole] = await sampler.complete(QUESTION, 1, Sampling(max_tokens=60), 4)
        stop = next(
            whole.text[i : i + 4]
            for i in range(9, len(whole.text))
            if "\ufffd" not in whole.text[i : i + 4]
        )
        cut = await sampler.complete(QUESTION, 1, Sampling(max_tokens=60, stop=(stop,)), 4)
        assert (cut[0].text, cut[0].finish) == (whole.text[: whole.text.index(stop)], "stop")
        hot = await sampler.complete(QUESTION, 200, Sampling(max_tokens=60, temperature=1.5), 0)
        assert {c.finish for c in hot} == {"stop", "length"}
        assert all(c.tokens == 60 for c in hot if c.finish == "length")

    with_sampler(gpt2, use)


def test_too_long_a_prefix_is_refused_and_a_full_context_ends(gpt2: Path) -> None:
    async def use(sampler: LocalSampler) -> Completion:
        with pytest.raises(ItemError, match="context"):
            await sampler.complete(QUESTION * 40, 1, Sampling(), 0)
        found = await sampler.complete(QUESTION * 8, 20, Sampling(), 0)
        used = len(TextTokenizer(gpt2).encode(QUESTION * 8))
        return next(c for c in found if c.tokens == CONTEXT - used)

    assert with_sampler(gpt2, use).finish == "length"


def test_cancelling_frees_the_rows(gpt2: Path) -> None:
    async def use(sampler: LocalSampler) -> None:
        short = Sampling(max_tokens=4)
        before = await sampler.complete(QUESTION, 2, short, 5)
        tasks = [
            asyncio.create_task(sampler.complete(QUESTION, 4, Sampling(max_tokens=250), i << 16))
            for i in range(50)
        ]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await sampler.complete(QUESTION, 2, short, 5) == before
        assert not sampler._runner.running  # type: ignore[attr-defined]

    with_sampler(gpt2, use, max_sequences="16")


def test_many_that_wait_need_not_wait_for_a_straggler(gpt2: Path) -> None:
    async def use(sampler: LocalSampler) -> None:
        long = asyncio.create_task(sampler.complete(QUESTION, 8, Sampling(max_tokens=270), 0))
        while not sampler._runner.running:  # type: ignore[attr-defined]
            await asyncio.sleep(0.001)
        await together(sampler, Sampling(max_tokens=2))
        assert not long.done()
        long.cancel()

    with_sampler(gpt2, use)


def test_without_transformers_it_says_what_to_install(
    gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)  # as where it is not installed
    with pytest.raises(SamplerError, match=r"pip install 'prmdata\[local,hub\]'"):
        with_sampler(gpt2, lambda s: s.score("a", "b"))


def test_what_transformers_cannot_open_says_why(tmp_path: Path) -> None:
    save_tiny(tmp_path, "gpt2")
    (tmp_path / "config.json").write_text('{"model_type": "abacus9"}')
    with pytest.raises(SamplerError, match="abacus9"):
        with_sampler(tmp_path, lambda s: s.score("a", "b"))


def test_a_recurrent_model_is_refused(tmp_path: Path) -> None:
    save_tiny(tmp_path, "mamba")
    with pytest.raises(SamplerError, match="recurrent"):
        with_sampler(tmp_path, lambda s: s.score("a", "b"))


def test_weights_that_would_be_passed_over_are_refused(tmp_path: Path) -> None:
    save_tiny(tmp_path, "small", attention_bias=True)
    config = tmp_path / "config.json"
    config.write_text(
        config.read_text().replace('"attention_bias": true', '"attention_bias": null')
    )
    with pytest.raises(SamplerError, match=r"o_proj\.bias"):
        asyncio.run(open_local(str(tmp_path), {"device": "cpu"}, spec="local:it"))


def test_kin_with_something_else_in_it_goes_to_transformers(tmp_path: Path) -> None:
    """Biases of a Llama, sliding windows of some layers of a Qwen2: not written out by us."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    biased = save_tiny(tmp_path / "a", "small", attention_bias=True)
    slid = save_tiny(
        tmp_path / "b", "qwen2", use_sliding_window=True, sliding_window=16, max_window_layers=1
    )
    for folder in (biased, slid):
        test_scores_are_the_logits_of_transformers(folder)
