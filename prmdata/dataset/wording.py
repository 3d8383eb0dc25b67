"""Texts as sequences of words, so that layout, case and punctuation make no difference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Chinese and Japanese stand without spaces: there a character is a word."""
WORD = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+")


def words(text: str) -> list[str]:
    """Never none: a text without words is one."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold()) or [text.strip()]


def runs(said: Sequence[str], length: int) -> Iterator[str]:
    """Every `length` words in a row; a shorter text is one run."""
    for start in range(max(len(said) - length, 0) + 1):
        yield " ".join(said[start : start + length])
