"""Tokens → the equalities a text asserts: two sides that could be read, and what casts doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prmdata.verifiers.mathematics.doubts import Doubts
from prmdata.verifiers.mathematics.expressions import Apply, Expression
from prmdata.verifiers.mathematics.sides import Side, is_about, parsed_from, side_after, side_before
from prmdata.verifiers.mathematics.tokens import Token


@dataclass(frozen=True, slots=True)
class Equality:
    left: Side
    right: Side
    near: bool
    """It is said with ≈, or to be rounded."""
    first: bool
    """No other equality comes before it in the chain."""
    last: bool
    doubtful: bool
    """It is supposed, asked, denied or taken back rather than asserted."""
    others: tuple[Expression, ...]
    """Other ways to read its left side."""
    whole: bool = False
    """Words near it say that only whole ones count, or what is left over."""


def equalities(tokens: Sequence[Token]) -> Iterator[Equality]:
    """Every equality both sides of which can be read, in the order of the text."""
    doubts = Doubts(tokens)
    start = 0
    for index in range(len(tokens) + 1):
        if index == len(tokens) or tokens[index].kind in ("stop", "edge"):
            yield from _chain(tokens, start, index, doubts)
            start = index + 1


def words_of(equality: Equality, text: str, tokens: Sequence[Token]) -> str:
    """An equality as it stands in the text."""
    start, end = tokens[equality.left.start].start, tokens[equality.right.parsed.end - 1].end
    if text[start:end].count("{") > text[start:end].count("}"):
        end += text[end : end + 1] == "}"  # of a unit: `3 \text{ dollars}`
    return " ".join(text[start:end].split())[:160]


def _chain(tokens: Sequence[Token], start: int, end: int, doubts: Doubts) -> Iterator[Equality]:
    marks = [at for at in range(start, end) if tokens[at].kind in ("equal", "near", "relation")]
    bounds = [start - 1, *marks, end]
    after_equality = False
    for number, mark in enumerate(marks):
        before, after = bounds[number], bounds[number + 2]
        if tokens[mark].kind == "relation":
            after_equality = False
            continue
        left = side_before(tokens, before + 1, mark, number > 0)
        right = side_after(tokens, mark + 1, after)
        if left is None or right is None:
            after_equality = False
            continue
        mixed = any(
            tokens[bounds[n]].kind == "relation"
            for n in (number, number + 2)
            if 0 < n <= len(marks)
        )
        yield Equality(
            left,
            right,
            near=tokens[mark].kind == "near"
            or doubts.cover_roughly(left.start, mark)
            or is_about(tokens, left.start),
            first=not after_equality,
            last=number + 1 == len(marks),
            doubtful=mixed or doubts.cover(left.start, mark),
            others=tuple(_others(tokens, left, mark)),
            whole=doubts.cover_whole(left.start, mark),
        )
        after_equality = True


def _others(tokens: Sequence[Token], left: Side, mark: int) -> Iterator[Expression]:
    """The left side with its first dashes taken as dashes, and with a list's dash as a minus."""
    if left.start and tokens[left.start - 1].text == "-":
        parsed = parsed_from(tokens, left.start, mark)
        if parsed is not None:
            yield _negated_first(parsed.expression)
    dashes = 0
    for at in range(left.start, mark):
        token = tokens[at]
        if token.kind == "operator" and token.text == "-" and not token.math and dashes < 3:
            spaced = at + 1 < mark and tokens[at + 1].start > token.end
            dashes += 1
            parsed = parsed_from(tokens, at + 1, mark) if spaced else None
            if parsed is not None and parsed.end == mark:
                yield parsed.expression


def _negated_first(expression: Expression) -> Expression:
    """`5 + 3` → `-5 + 3`."""
    if isinstance(expression, Apply) and expression.operation in ("+", "-", "*", "/"):
        first, second = expression.operands
        return Apply(expression.operation, (_negated_first(first), second))
    return Apply("negate", (expression,))
