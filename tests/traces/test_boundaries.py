"""Steps end where tokens end: a prefix is tokenized as it is in the whole.

Tokenizers of the kinds that models have, trained here on a few lines. GPT-2's takes a line break
and the indent after it for one token, so it is tried without indents.
"""

from __future__ import annotations

import itertools
import re

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from prmdata.traces.steps import splitter

TEXT = """<think>
Let me see. The sum of 3 and 4 is 7, so  twice  it is 14.  Wait: is that right?

  - First, 3 + 4 = 7.
  - Then, 2 * 7 = 14.

    x = 14
    if x > 7:
        print(x)

Yes. "It is." Fine!
</think> So we have:

**Step 1:** Add 3 and 4.  \n\nStep 2: Double it: 2 * 7 = 14.\r\nThe answer is 14.
"""
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def bytes_of(*before: pre_tokenizers.PreTokenizer, whole: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=whole)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*before, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt_2() -> Tokenizer:
    return bytes_of(whole=True)


def llama_3() -> Tokenizer:
    return bytes_of(pre_tokenizers.Split(Regex(LLAMA_3), "isolated"), whole=False)


def pieces() -> Tokenizer:
    """Spaces are a mark before words; no token begins with another character and holds a space."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"▁+(?=▁)|▁?[^▁\n\r]+|[\n\r]+|▁"), "isolated"
    )
    return tokenizer


FLAT = re.sub(r"(?m)^ +|\r", "", TEXT)
Made = tuple[Tokenizer, str]


@pytest.fixture(scope="module", params=[(gpt_2, FLAT), (llama_3, TEXT), (pieces, TEXT)])
def made(request: pytest.FixtureRequest) -> Made:
    kind, text = request.param
    tokenizer: Tokenizer = kind()
    trainer = trainers.BpeTrainer(vocab_size=2000, show_progress=False, special_tokens=["</think>"])
    tokenizer.train_from_iterator([text] * 50, trainer)
    return tokenizer, text


@pytest.mark.parametrize("how", ["lines", "paragraphs", "numbered", "sentences", "auto,max=4"])
def test_a_prefix_has_the_tokens_that_it_has_in_the_whole(made: Made, how: str) -> None:
    tokenizer, text = made
    steps = splitter(how)(text)
    whole = tokenizer.encode(text).ids
    assert len(steps) > 2
    for prefix in itertools.accumulate(steps):
        ids = tokenizer.encode(prefix).ids
        assert ids == whole[: len(ids)], repr(prefix[-30:])


def test_that_is_not_so_where_a_space_stays_behind(made: Made) -> None:
    tokenizer, text = made
    prefix = text[: text.index("sum of")]
    ids = tokenizer.encode(prefix).ids
    assert ids != tokenizer.encode(text).ids[: len(ids)]
