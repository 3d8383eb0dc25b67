"""A text → tokens with its products of letters taken apart, which arithmetic leaves unread.

`2ab` is 2 · a · b; `f(x)` is no product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from prmdata.verifiers.mathematics.tokens import Token, readable, tokens_of
from prmdata.verifiers.mathematics.vocabulary import words

_FUNCTIONS = frozenset("fghpqFGHPQT")
"""Letters that stand for functions where a bracket follows them."""
_APPLIED = re.compile(r"(?<![A-Za-z\\])([A-Za-z])(?:\\left)?\((?:-?[0-9]+|[A-Za-z])(?:\\right)?\)")
"""`s(t)`, `a(3)`: wherever else the letter stands before a bracket, it is a function too."""
_PRODUCT = re.compile(r"[a-z]{2,3}")
_DIFFERENCE = re.compile(r"[a-zA-Z](?:-[a-zA-Z])+|[a-z]{1,3}(?:-[a-z]{1,3})+")
_BESIDE = frozenset(("open", "close", "operator", "number", "equal", "edge"))
"""Next to one of them, `x-y` is no word."""
_NO_PRODUCTS = words(
    "gcd lcm log cos sin tan max min exp ln mod sec csc cot deg det dim lim sup inf arg dx dy dt "
    "sqrt cis abs and or if is of the for to cm mm km kg ft in st nd rd th"
)


def functions_in(text: str) -> frozenset[str]:
    return _FUNCTIONS | {found[1] for found in _APPLIED.finditer(text)}


def letter_tokens(text: str, functions: frozenset[str]) -> tuple[str, list[Token]]:
    """The text as it is read, and its tokens."""
    text = readable(text)
    return text, list(_taken_apart(tokens_of(text), functions))


def _taken_apart(tokens: Sequence[Token], functions: frozenset[str]) -> Iterator[Token]:
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        applied = following is not None and following.text == "(" and following.start == token.end
        if (
            token.kind == "name"
            and token.text in functions
            and (applied or _is_inverse(tokens, index))
        ):
            yield token._replace(kind="other")
        elif (_is_product(token) and not applied) or _is_difference(tokens, index):
            yield from _letters(token)
        else:
            yield token


def _is_inverse(tokens: Sequence[Token], at: int) -> bool:
    """`f^{-1}`, `f^2(x)`: a function to a power is another function."""
    if at + 1 < len(tokens) and tokens[at + 1].kind == "superscript":
        return at + 2 < len(tokens) and tokens[at + 2].text == "("
    if at + 1 == len(tokens) or tokens[at + 1].text != "^":
        return False
    ahead = [token.text for token in tokens[at + 2 : at + 7]]
    closed = ahead.index("}") if ahead[:1] == ["{"] and "}" in ahead else 0
    return ahead[:4] == ["{", "-", "1", "}"] or ahead[closed + 1 : closed + 2] == ["("]


def _letters(token: Token) -> Iterator[Token]:
    for at, letter in enumerate(token.text, token.start):
        kind = "operator" if letter == "-" else "name"
        yield token._replace(kind=kind, text=letter, start=at, end=at + 1)


def _is_product(token: Token) -> bool:
    product = token.kind == "other" and _PRODUCT.fullmatch(token.text)
    return bool(product) and token.text not in _NO_PRODUCTS


def _is_difference(tokens: Sequence[Token], index: int) -> bool:
    """Whether it is `x-y` rather than a word with a hyphen."""
    token = tokens[index]
    if token.kind not in ("other", "word") or not _DIFFERENCE.fullmatch(token.text):
        return False
    parts = token.text.split("-")
    around = [*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2]]
    beside = any(token.kind in _BESIDE for token in around)
    return beside and not _NO_PRODUCTS & {*parts} and (token.math or max(map(len, parts)) == 1)
