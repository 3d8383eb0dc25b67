"""The shipped checkpoint says the same in every engine: ours, transformers', vLLM's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from prmdata.abacus import solution, story
from prmdata.sampler import ABACUS_MODEL, open_sampler
from tests.sampler.test_contract import ROOT, needs_vllm

TEXTS = [
    (f"<bos>Question: {told.question}\n", "".join(f"{line}\n" for line in solution(told)))
    for told in (story(31, index, 1 + index % 4) for index in range(12))
]
WITHIN = 1e-4
"""Float32 rounds logits of up to 30 in steps of 2e-6, and sums of some hundred products in any
order move by some of these; measured are 2e-5. In bfloat16 it is .1 between any two engines, as
much as between one of them and itself in float32: that would hide what is wrong."""


def scores(spec: str, **options: str) -> list[list[float]]:
    async def run() -> list[list[float]]:
        sampler = await open_sampler(spec, options)
        found = [list((await sampler.score(*text)).logprobs) for text in TEXTS]
        await sampler.close()
        return found

    return asyncio.run(run())


@pytest.fixture(scope="module")
def ours() -> list[list[float]]:
    return scores("abacus")


@pytest.mark.slow
def test_transformers_gives_the_same_log_probabilities(ours: list[list[float]]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(ABACUS_MODEL, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(ABACUS_MODEL)
    for (prefix, text), found in zip(TEXTS, ours, strict=True):
        first = len(tokenizer(prefix, add_special_tokens=False)["input_ids"])
        ids = tokenizer(prefix + text, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            log_TV = torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)
        assert found == pytest.approx(
            [float(log_TV[place - 1, ids[place]]) for place in range(first, len(ids))], abs=WITHIN
        )


@pytest.mark.parametrize("spec", [pytest.param("vllm:abacus", marks=needs_vllm)])
def test_vllm_gives_the_same_log_probabilities(ours: list[list[float]], spec: str) -> None:
    theirs = scores(spec, dtype="float32", max_model_len="1024")
    assert sum(map(len, theirs)) > 1_000
    for found, expected in zip(theirs, ours, strict=True):
        assert found == pytest.approx(expected, abs=WITHIN)


@pytest.mark.parametrize("spec", [pytest.param("vllm:abacus", marks=needs_vllm)])
def test_an_engine_that_does_not_start_says_why_and_what_to_try(spec: str, tmp_path: Path) -> None:
    out = str(tmp_path / "traces.jsonl")
    words = [sys.executable, "-m", "prmdata", "generate", "abacus:1", "-o", out]
    words += ["--sampler", spec, "--engine-arg", "max_model_len=4096"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    *_, reason, advice = done.stderr.splitlines()
    assert "User-specified max_model_len (4096) is greater than" in reason
    assert advice == "try --engine-arg with a smaller max_model_len"
