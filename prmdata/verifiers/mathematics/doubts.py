"""The stretches of a text that do not assert what they say: supposed, asked, denied, taken back,
told of others, or said to be rounded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from prmdata.verifiers.mathematics.tokens import Token
from prmdata.verifiers.mathematics.vocabulary import (
    CONDITIONS,
    DENIED,
    DOUBTS,
    REPORTED,
    RETRACTED,
    ROUNDED,
    SUPPOSED,
    UPHELD,
    WHOLE,
)

_DENIED_BEFORE = 6
"""Tokens before a `not` that it may deny: `2 + 2 = 5 is not true`."""


class Doubts:
    """The stretches of a step that are supposed, asked, denied or taken back."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._stretches: list[tuple[int, int]] = []
        self._rounded: list[tuple[int, int]] = []
        self._whole: list[tuple[int, int]] = []
        ends = [at for at, token in enumerate(tokens) if _ends_sentence(token)]
        self._ends = [*ends, len(tokens)]
        for at, token in enumerate(tokens):
            if token.kind == "word":
                word = token.text.lower()
                if word in DOUBTS:
                    self._word(tokens, at, word)
                if word in WHOLE:
                    self._whole.append(self._around(at))
            elif token.kind == "stop" and token.text == "?":
                self._stretches.append((self._sentence(at - 1)[0], at))

    def _word(self, tokens: Sequence[Token], at: int, word: str) -> None:
        start, end = self._sentence(at)
        if word in REPORTED:
            self._stretches.append((start, end))
        elif word in DENIED:
            upheld = at + 1 < end and tokens[at + 1].text.lower() in UPHELD
            self._stretches.append((start if upheld else max(start, at - _DENIED_BEFORE), end))
        elif word in SUPPOSED:
            self._stretches.append((at, len(tokens)))
        elif word in RETRACTED or word in ROUNDED:
            taken_back = self._stretches if word in RETRACTED else self._rounded
            taken_back.append(self._around(at))
        elif word in CONDITIONS:
            clause = _clause_end(tokens, at, end)
            related = any(tokens[i].kind in ("equal", "near") for i in range(at, clause))
            self._stretches.append((at, end if related else clause))

    def _around(self, at: int) -> tuple[int, int]:
        """Its sentence and the two before it."""
        start, end = self._sentence(at)
        return self._sentence(self._sentence(start - 1)[0] - 1)[0], end

    def _sentence(self, at: int) -> tuple[int, int]:
        number = bisect_right(self._ends, max(at, 0) - 1)
        number = min(number, len(self._ends) - 1)
        return (self._ends[number - 1] + 1 if number else 0), self._ends[number]

    def cover(self, start: int, mark: int) -> bool:
        return any(first <= mark and start <= last for first, last in self._stretches)

    def cover_roughly(self, start: int, mark: int) -> bool:
        """Whether what stands there is said to be rounded."""
        return any(first <= mark and start <= last for first, last in self._rounded)

    def cover_whole(self, start: int, mark: int) -> bool:
        """Whether only whole ones are said to count there; `= 4 boxes. Two are left` too."""
        after = self._sentence(self._sentence(mark)[1] + 1)[1]
        return any(first <= after and start <= last for first, last in self._whole)


def _ends_sentence(token: Token) -> bool:
    return token.kind == "stop" and token.text in (".", "?", "!", "\n")


def _clause_end(tokens: Sequence[Token], start: int, end: int) -> int:
    for at in range(start, end):
        if tokens[at].text in (",", "then"):
            return at
    return end
