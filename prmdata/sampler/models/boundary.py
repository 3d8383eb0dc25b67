"""A prefix and the text after it as tokens of one text, and where the one ends among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    ids: list[int]
    """Of the prefix and the text, read as one."""
    first: int
    """The first token that ends within the text."""
    starts: tuple[int, ...]
    """Where in the text each token from there on begins, in characters."""
    straddles: bool
    """The first of them begins in the prefix: no token begins where the text does."""


def exact(tokenizer: Any) -> object:
    """A copy of a `tokenizers.Tokenizer` that says where every token begins and ends.

    Some report a token without the spaces it holds, which would move a boundary.
    """
    from tokenizers import Tokenizer
    from tokenizers.processors import ByteLevel

    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    copy.post_processor = ByteLevel(trim_offsets=False)
    return copy


def span(tokenizer: Any, prefix: str, text: str) -> Span:
    """By an `exact` tokenizer. A text is read after its prefix and never by itself: ` 4` and `4`
    are two tokens, and which of them a model expects depends on what stands before."""
    found = tokenizer.encode(prefix + text, add_special_tokens=False)
    boundary = len(prefix)
    ids, offsets = list(found.ids), found.offsets
    first = next((i for i, (_, end) in enumerate(offsets) if end > boundary), len(ids))
    begins = [begin for begin, _ in offsets[first:]]
    straddles = bool(begins) and begins[0] < boundary
    return Span(ids, first, tuple(max(begin - boundary, 0) for begin in begins), straddles)
