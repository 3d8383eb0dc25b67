"""The shipped folder: a standard Hugging Face model that loads elsewhere unchanged."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from prmdata.abacus import MODEL, judge, solution, story
from prmdata.abacus.solutions import with_error
from prmdata.sampler.models.rendering import read_template

TOKENIZER = Tokenizer.from_file(str(MODEL / "tokenizer.json"))


def encode(text: str) -> list[int]:
    ids: list[int] = TOKENIZER.encode(text, add_special_tokens=False).ids
    return ids


def written(index: int) -> tuple[str, list[str]]:
    told = story(31, index, 1 + index % 4)
    lines = [f"{line}\n" for line in solution(told, random.Random(index))]
    return f"<bos>Question: {told.question}\n", lines


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(encode(text), skip_special_tokens=False) == text


@pytest.mark.parametrize(
    "text", ["é", "漢字", "👩\u200d👧", "\r\n\t\x00", "  two", "a\u2003b", "<0x41>"]
)
def test_unusual_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(encode(text), skip_special_tokens=False) == text


def test_no_special_token_is_added() -> None:
    prompt, lines = written(0)
    text = prompt + "".join(lines)
    assert TOKENIZER.encode(text, add_special_tokens=True).ids == encode(text)
    assert encode(text)[0] == TOKENIZER.token_to_id("<bos>")
    assert encode("<eos>") == [TOKENIZER.token_to_id("<eos>")]


def test_a_prefix_of_whole_steps_has_the_tokens_it_has_within_the_text() -> None:
    for index in range(100):
        prompt, lines = written(index)
        whole = encode(prompt + "".join(lines))
        for kept in range(len(lines) + 1):
            prefix = encode(prompt + "".join(lines[:kept]))
            assert whole[: len(prefix)] == prefix


def test_stories_are_words_and_digits() -> None:
    """No word of a story falls back to letters."""
    for index in range(300):
        prompt, lines = written(index)
        tokens = TOKENIZER.encode(prompt + "".join(lines), add_special_tokens=False).tokens
        assert not [t for t in tokens if len(t) == 1 and t.isalpha()]


def test_the_chat_template_leaves_the_solution_open() -> None:
    template = read_template(MODEL)
    asked = [{"role": "user", "content": "How many?"}]
    assert template.open_turn(asked) == "<bos>Question: How many?\n"
    begun = [*asked, {"role": "assistant", "content": "Step 1: So"}]
    assert template.open_turn(begun) == "<bos>Question: How many?\nStep 1: So"


def test_it_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 8_000_000
    assert json.loads((MODEL / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]


@pytest.fixture(scope="module")
def loaded() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL, dtype="float32").eval()


def score(loaded: Any, prompt: str, text: str) -> float:
    """Mean log-probability of `text` after `prompt`."""
    import torch

    ids, start = encode(prompt + text), len(encode(prompt))
    with torch.inference_mode():
        logits = loaded(torch.tensor([ids])).logits[0, start - 1 : -1]
    chosen = torch.tensor(ids[start:])[:, None]
    return float(logits.log_softmax(-1).gather(1, chosen).mean())


def test_transformers_loads_it(loaded: Any) -> None:
    assert sum(p.numel() for p in loaded.parameters()) <= 4_000_000


def test_transformers_renders_and_cuts_text_the_same() -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(MODEL)
    asked = [{"role": "user", "content": "How many?"}]
    rendered = theirs.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert rendered == read_template(MODEL).open_turn(asked)
    prompt, lines = written(3)
    text = prompt + "".join(lines)
    assert theirs(text, add_special_tokens=False)["input_ids"] == encode(text)
    assert theirs(text)["input_ids"] == encode(text)


@pytest.mark.slow
def test_right_solutions_are_likelier_than_wrong_ones(loaded: Any) -> None:
    right, likelier = [], 0
    for index in range(40):
        told = story(31, index, 1 + index % 2)
        prompt = f"<bos>Question: {told.question}\n"
        lines, _ = with_error(told, "arithmetic", random.Random(index))
        right.append(score(loaded, prompt, "".join(f"{s}\n" for s in solution(told))))
        likelier += right[-1] > score(loaded, prompt, "".join(f"{s}\n" for s in lines))
    assert sum(right) / len(right) > -0.5
    assert likelier >= 36


@pytest.mark.slow
def test_it_solves_easy_stories(loaded: Any) -> None:
    import torch

    solved = 0
    for index in range(10):
        told = story(31, index, 1)
        ids = torch.tensor([encode(f"<bos>Question: {told.question}\n")])
        out = loaded.generate(ids, max_new_tokens=120, do_sample=False)[0, ids.shape[1] :]
        text = TOKENIZER.decode(out.tolist(), skip_special_tokens=True)
        solved += judge(told, text.splitlines()).answer_right
    assert solved >= 6
