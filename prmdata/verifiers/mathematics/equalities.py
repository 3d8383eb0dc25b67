"""Tokens → the equalities a text asserts: two sides that could be read, and what casts doubt.

A side counts only where it stands whole: from the start of a statement or a word, up to a
relation, the end of the statement or a word. `2x + three = 7` leaves nothing to read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from prmdata.verifiers.mathematics.expressions import Apply, Expression, Unreadable
from prmdata.verifiers.mathematics.parsing import Parsed, parse
from prmdata.verifiers.mathematics.tokens import Token
from prmdata.verifiers.mathematics.vocabulary import (
    ABOUT,
    BECOMES,
    CONDITIONS,
    CUT_AFTER,
    CUT_BEFORE,
    DENIED,
    DOUBTS,
    FRACTIONS,
    FUNCTIONS,
    LEADS_TO,
    NEAR_CUT_BEFORE,
    NUMBERED,
    REPORTED,
    RETRACTED,
    ROUNDED,
    SCALES,
    SUPPOSED,
    UPHELD,
    WHOLE,
    unit_name,
)


class Side(NamedTuple):
    parsed: Parsed
    start: int
    """Index of its first token."""
    told: bool
    """It follows a word that may make a number alone a part of the sentence."""
    cut: bool
    """The words beside it may be a part of what is meant: `half of 10`, `5 times`."""
    units: frozenset[str]
    bracketed: bool = False


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


_DENIED_BEFORE = 6
"""Tokens before a `not` that it may deny: `2 + 2 = 5 is not true`."""
_LONGEST = 150
"""Tokens looked back over for the start of a side."""
_MOST_WORDS = 6
_NUMBERS_AFTER = frozenset(("number", "fraction", "name", "money", "pi", "root", "open"))


def equalities(tokens: Sequence[Token]) -> Iterator[Equality]:
    """Every equality both sides of which can be read, in the order of the text."""
    doubts = _Doubts(tokens)
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


class _Doubts:
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


def _chain(tokens: Sequence[Token], start: int, end: int, doubts: _Doubts) -> Iterator[Equality]:
    marks = [at for at in range(start, end) if tokens[at].kind in ("equal", "near", "relation")]
    bounds = [start - 1, *marks, end]
    after_equality = False
    for number, mark in enumerate(marks):
        before, after = bounds[number], bounds[number + 2]
        if tokens[mark].kind == "relation":
            after_equality = False
            continue
        left = _ending(tokens, before + 1, mark, number > 0)
        right = _starting(tokens, mark + 1, after, number + 1 < len(marks))
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
            or _is_about(tokens, left.start),
            first=not after_equality,
            last=number + 1 == len(marks),
            doubtful=mixed or doubts.cover(left.start, mark),
            others=tuple(_others(tokens, left, mark)),
            whole=doubts.cover_whole(left.start, mark),
        )
        after_equality = True


def _ending(tokens: Sequence[Token], start: int, end: int, follows: bool) -> Side | None:
    """The expression that ends at `end`, read from the left."""
    at = max(start, end - _LONGEST)
    while at < end:
        parsed = _parsed(tokens, at, end)
        if parsed is None:
            at += 1
        elif parsed.end < end:
            at = parsed.end
        else:
            return _begun(tokens, parsed, at, start, follows)
    return None


def _is_about(tokens: Sequence[Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].text.lower() in ABOUT


def _begun(
    tokens: Sequence[Token], parsed: Parsed, at: int, start: int, follows: bool
) -> Side | None:
    """The side, where it begins at a word or with its statement."""
    if at > start and tokens[at - 1].kind != "word":
        return None
    if at and _belongs(tokens[at - 1], tokens[at]):
        return None
    cut = False if (follows and at == start) else _cut_before(tokens, at, follows and at > start)
    word = tokens[at - 1] if at else None
    told = word is not None and word.kind == "word" and word.text.lower() not in LEADS_TO
    return Side(parsed, at, told, cut, parsed.units)


def _belongs(word: Token, value: Token) -> bool:
    """Whether a word is a part of the value after it: `cos 30`, `year2`."""
    if word.kind != "word":
        return False
    return word.text.lower() in FUNCTIONS or (word.end == value.start and value.kind != "money")


def _cut_before(tokens: Sequence[Token], at: int, after_equality: bool) -> bool:
    """Whether the word before may belong to what is meant."""
    before = at - 1
    while before >= 0 and tokens[before].kind == "edge":
        before -= 1
    if before < 0:
        return False
    token = tokens[before]
    word = token.text.lower()
    if token.kind in ("operator", "other") and before == at - 1:
        return True
    if token.kind != "word":
        return token.kind == "stop" and token.text == "," and _value_before(tokens, before, at)
    if _sum_before(tokens, before):
        return True
    if before < at - 1 and word in NEAR_CUT_BEFORE:
        return False
    if word in NUMBERED and before == at - 1 and tokens[at].kind == "number":
        return True
    if word == "to" and before and tokens[before - 1].text.lower() in BECOMES:
        return False
    if word == "of":
        return (
            before == 0
            or tokens[before - 1].text.lower() in FRACTIONS
            or (tokens[before - 1].kind in ("number", "percent", "close"))
        )
    return word in CUT_BEFORE and not (word == "and" and after_equality)


def _sum_before(tokens: Sequence[Token], at: int) -> bool:
    """Whether the words that end here stand in a longer sum: `90 + Year 2 + 45`."""
    first = at
    while first >= 0 and tokens[first].kind == "word" and at - first < _MOST_WORDS:
        first -= 1
    if first < 0 or tokens[first].kind != "operator":
        return False
    return tokens[first].text != "-" or (
        first > 0 and tokens[first - 1].kind in ("number", "close", "percent", "name")
    )


def _sum_after(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Whether the words that start here stand in a longer sum: `= 5 tall ones that he has + 3`."""
    last = at
    while last < end and tokens[last].kind == "word" and last - at < _MOST_WORDS:
        last += 1
    if last + 1 >= end or tokens[last].kind != "operator":
        return False
    return tokens[last].text != "-" or tokens[last + 1].kind in _NUMBERS_AFTER


def _value_before(tokens: Sequence[Token], comma: int, at: int) -> bool:
    """Whether it follows a list: `2, 4, 6 = …`."""
    return (
        comma > 0
        and tokens[comma - 1].kind in ("number", "name")
        and (comma < 2 or tokens[comma - 2].kind in ("stop", "other"))
    )


def _starting(tokens: Sequence[Token], start: int, end: int, more: bool) -> Side | None:
    """The expression that starts at `start`, where a word or the end follows it."""
    parsed = _parsed(tokens, start, end)
    if parsed is None:
        return None
    after = parsed.end
    if after < end and (tokens[after].kind != "word" or _is_factor(tokens, after, end)):
        return None
    words = [token.text.lower() for token in tokens[after : min(after + 2, end)]]
    units = parsed.units | frozenset(unit_name(word) for word in words[:1])
    cut = after < len(tokens) and _cut_after(tokens, after, end)
    last = after - 1 if tokens[after - 1].kind == "word" else after
    cut = cut or _measures_on(tokens, last) or _leaves_rest(tokens, after)
    return Side(parsed, start, False, cut, units, tokens[start].kind == "open")


def _is_factor(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Whether the word after a number is no unit but a factor: `272 cos(A)`, `2 num_apples`."""
    word = tokens[at]
    if word.text.lower() in FUNCTIONS - {"round", "sum", "sign", "max", "min", "int"}:
        return True
    following = tokens[at + 1] if at + 1 < end else None
    glued = following is not None and following.start == word.end
    return glued and following is not None and following.kind in ("open", "number", "other")


def _cut_after(tokens: Sequence[Token], after: int, end: int) -> bool:
    while after < len(tokens) and tokens[after].kind == "edge":
        after += 1
    if after == len(tokens) or tokens[after].kind != "word":
        return after < len(tokens) and tokens[after].kind in ("operator", "other")
    if _sum_after(tokens, after, end):
        return True
    following = tokens[after + 1] if after + 1 < len(tokens) else None
    word = tokens[after].text.lower()
    if word in ("and", "of", "to", "with", "times", "more", "less", "fewer"):
        return _counts_on(tokens, after, word)
    return word in CUT_AFTER or (following is not None and following.text.lower() == "times")


def _measures_on(tokens: Sequence[Token], after: int) -> bool:
    """`14 weeks and 2 days`, `6 feet 2 inches`: one measure of two units."""
    kinds = [SCALES.get(unit_name(token.text)) for token in tokens[after : after + 4]]
    numbers = [token.kind == "number" for token in tokens[after : after + 4]]
    return bool(kinds and kinds[0]) and any(
        number and kind == kinds[0] for number, kind in zip(numbers, kinds[1:], strict=False)
    )


def _leaves_rest(tokens: Sequence[Token], after: int) -> bool:
    """`17/4 = 4, R1`, `4 (r 1)`."""
    ahead = [token.text.lower() for token in tokens[after : after + 4] if token.kind != "stop"]
    return any(word in ("r", "rem", "rest") and rest.isdigit() for word, rest in pairwise(ahead))


def _counts_on(tokens: Sequence[Token], after: int, word: str) -> bool:
    """`5 and 1/2`, `3 of 20`, `2 to 5`, `4 with a remainder`, `3 more than 5`."""
    ahead = tokens[after + 1 : after + 4]
    words = {token.text.lower() for token in ahead}
    if word in ("times", "more", "less", "fewer"):
        return any(token.kind in _NUMBERS_AFTER for token in ahead)
    if words & {"half", "third", "quarter", "remainder", "thirds", "quarters"}:
        return True
    if word == "and":
        return len(ahead) > 2 and ahead[0].kind == "number" and ahead[1].text == "/"
    return bool(ahead) and ahead[0].kind in _NUMBERS_AFTER


def _parsed(tokens: Sequence[Token], start: int, end: int) -> Parsed | None:
    try:
        return parse(tokens, start, end)
    except Unreadable:
        return None


def _others(tokens: Sequence[Token], left: Side, mark: int) -> Iterator[Expression]:
    """The left side with its first dashes taken as dashes, and with a list's dash as a minus."""
    if left.start and tokens[left.start - 1].text == "-":
        parsed = _parsed(tokens, left.start, mark)
        if parsed is not None:
            yield _negated_first(parsed.expression)
    dashes = 0
    for at in range(left.start, mark):
        token = tokens[at]
        if token.kind == "operator" and token.text == "-" and not token.math and dashes < 3:
            spaced = at + 1 < mark and tokens[at + 1].start > token.end
            dashes += 1
            parsed = _parsed(tokens, at + 1, mark) if spaced else None
            if parsed is not None and parsed.end == mark:
                yield parsed.expression


def _negated_first(expression: Expression) -> Expression:
    """`5 + 3` → `-5 + 3`."""
    if isinstance(expression, Apply) and expression.operation in ("+", "-", "*", "/"):
        first, second = expression.operands
        return Apply(expression.operation, (_negated_first(first), second))
    return Apply("negate", (expression,))
