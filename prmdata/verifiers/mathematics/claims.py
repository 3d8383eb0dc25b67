"""A text → the equalities with letters that it claims, and how each of them is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from prmdata.verifiers.mathematics.equalities import Equality, equalities, words_of
from prmdata.verifiers.mathematics.expressions import Expression
from prmdata.verifiers.mathematics.letters import letter_tokens
from prmdata.verifiers.mathematics.polynomials import letters_of, operations_of
from prmdata.verifiers.mathematics.solving import Equation, equation_of
from prmdata.verifiers.mathematics.tokens import Token
from prmdata.verifiers.mathematics.vocabulary import SCALES

_TWO_READINGS = frozenset(("percent", "mixed", "factorial", "binomial"))
_BEFORE = 25
"""Tokens looked back over for the word that says what is done."""
_MOST = 80
"""Equalities of one text; what comes after them is not read."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An equality with letters in it, and how it is said."""

    equality: Equality
    words: str
    before: tuple[str, ...]
    """The words before it in its sentence, the nearest last."""
    around: frozenset[str]
    """The words of the whole text."""
    relation_before: bool
    """Another relation stands before its left side."""
    relation_after: bool
    heads: bool = False
    """It stands before a colon or in brackets, as the heading of a case: `t = 3: 5t = 15`."""

    @property
    def left(self) -> Expression:
        return self.equality.left.parsed.expression

    @property
    def right(self) -> Expression:
        return self.equality.right.parsed.expression

    @property
    def letters(self) -> frozenset[str]:
        return letters_of(self.left) | letters_of(self.right)

    @property
    def equation(self) -> Equation | None:
        return equation_of(self.equality, self.words)

    @property
    def stands_alone(self) -> bool:
        return not (self.relation_before or self.relation_after)

    @property
    def is_firm(self) -> bool:
        """Whether it is asserted, and can be read in one way alone."""
        equality = self.equality
        sides = equality.left, equality.right
        return not (
            equality.doubtful
            or equality.near
            or any(side.may_be_part or side.parsed.doubtful for side in sides)
            or any(unit in SCALES for side in sides for unit in side.units)
            or _TWO_READINGS & {*operations_of(self.left), *operations_of(self.right)}
        )


def claims(text: str, functions: frozenset[str]) -> Iterator[Claim]:
    text, tokens = letter_tokens(text, functions)
    around = frozenset(token.text.lower() for token in tokens if token.kind == "word")
    for equality in islice(equalities(tokens), _MOST):
        start, end = equality.left.start, equality.right.parsed.end
        yield Claim(
            equality,
            words_of(equality, text, tokens),
            tuple(_words_before(tokens, start)),
            around,
            start > 0 and tokens[start - 1].kind in ("equal", "near", "relation"),
            end < len(tokens) and tokens[end].kind in ("equal", "near", "relation"),
            end < len(tokens) and tokens[end].kind == "stop" and tokens[end].text in (":", ")"),
        )


def _words_before(tokens: Sequence[Token], at: int) -> list[str]:
    words = []
    for token in reversed(tokens[max(0, at - _BEFORE) : at]):
        if token.kind == "stop" and token.text in (".", "?", "!"):
            break
        if token.kind == "word":
            words.append(token.text.lower())
    return words[::-1]
