"""The two sides of a relation: expressions that stand whole, and what casts doubt on each.

Words around a number may belong to what is meant: `half of 10`, `cos 30`, `90 + Year 2`. Where they
do, there is no side to read, or one that is `cut`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from prmdata.verifiers.mathematics.expressions import Unreadable
from prmdata.verifiers.mathematics.parsing import Parsed, parse
from prmdata.verifiers.mathematics.tokens import Token
from prmdata.verifiers.mathematics.vocabulary import (
    ABOUT,
    BECOMES,
    CUT_AFTER,
    CUT_BEFORE,
    FRACTIONS,
    FUNCTIONS,
    LEADS_TO,
    NEAR_CUT_BEFORE,
    NUMBERED,
    SCALES,
    unit_name,
)

_LONGEST = 150
"""Tokens looked back over for the start of a side."""
_MOST_WORDS = 6
_NUMBERS_AFTER = frozenset(("number", "fraction", "name", "money", "pi", "root", "open"))


class Side(NamedTuple):
    parsed: Parsed
    start: int
    """Index of its first token."""
    after_word: bool
    """It follows a word that may make a number alone a part of the sentence."""
    may_be_part: bool
    """The words beside it may be a part of what is meant: `half of 10`, `5 times`."""
    units: frozenset[str]
    bracketed: bool = False


def side_before(tokens: Sequence[Token], start: int, end: int, follows: bool) -> Side | None:
    """The expression that ends at `end`, read from the left."""
    at = max(start, end - _LONGEST)
    while at < end:
        parsed = parsed_from(tokens, at, end)
        if parsed is None:
            at += 1
        elif parsed.end < end:
            at = parsed.end
        else:
            return _begun(tokens, parsed, at, start, follows)
    return None


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
    after_word = word is not None and word.kind == "word" and word.text.lower() not in LEADS_TO
    return Side(parsed, at, after_word, cut, parsed.units)


def side_after(tokens: Sequence[Token], start: int, end: int) -> Side | None:
    """The expression that starts at `start`, where a word or the end follows it."""
    parsed = parsed_from(tokens, start, end)
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


def is_about(tokens: Sequence[Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].text.lower() in ABOUT


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
        return token.kind == "stop" and token.text == "," and _value_before(tokens, before)
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


def _value_before(tokens: Sequence[Token], comma: int) -> bool:
    """Whether it follows a list: `2, 4, 6 = …`."""
    return (
        comma > 0
        and tokens[comma - 1].kind in ("number", "name")
        and (comma < 2 or tokens[comma - 2].kind in ("stop", "other"))
    )


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


def _sum_after(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Whether the words that start here stand in a longer sum: `= 5 tall ones that he has + 3`."""
    last = at
    while last < end and tokens[last].kind == "word" and last - at < _MOST_WORDS:
        last += 1
    if last + 1 >= end or tokens[last].kind != "operator":
        return False
    return tokens[last].text != "-" or tokens[last + 1].kind in _NUMBERS_AFTER


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


def parsed_from(tokens: Sequence[Token], start: int, end: int) -> Parsed | None:
    try:
        return parse(tokens, start, end)
    except Unreadable:
        return None
