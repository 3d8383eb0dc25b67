"""Brackets among tokens: what pairs, what holds statements, what hides a list."""

from __future__ import annotations

from collections.abc import Iterator

from prmdata.verifiers.mathematics.scanning import Token

DEEPEST = 24
"""Brackets nested deeper are not read."""
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def balance(tokens: list[Token]) -> list[Token]:
    """Brackets that pair stay; alone, or around statements, they end a statement.

    Around a list (a point, an interval, arguments) or after `_`, all within is `other`.
    """
    result = list(tokens)
    hidden = [0] * (len(tokens) + 1)
    for start, end, holds in _brackets(tokens):
        if holds == "statement":
            result[start], result[end] = (result[at]._replace(kind="stop") for at in (start, end))
        elif holds:
            hidden[start] += 1
            hidden[end + 1] -= 1
    depth = 0
    for index, change in enumerate(hidden[:-1]):
        depth += change
        if depth:
            result[index] = result[index]._replace(kind="other")
    return result


def _brackets(tokens: list[Token]) -> Iterator[tuple[int, int, str]]:
    """Start, end and what is in it, for each pair; a bracket alone is its own pair."""
    opened: list[tuple[int, str]] = []
    for index, token in enumerate(tokens):
        if token.kind == "open":
            below = index > 0 and tokens[index - 1].text == "_"
            opened.append(
                (index, "subscript" if below else "deep" if len(opened) > DEEPEST else "")
            )
        elif token.kind == "close":
            start, holds = opened.pop() if opened else (index, "statement")
            paired = start == index or _PAIRS[tokens[start].text] == token.text
            yield start, index, holds if paired else holds or "list"
        elif opened and opened[-1][1] not in ("subscript", "deep"):
            start, holds = opened[-1]
            opened[-1] = (start, _holds(token, holds))
    for start, _ in opened:
        yield start, start, "statement"


def _holds(token: Token, so_far: str) -> str:
    if token.kind in ("equal", "near", "relation", "edge"):
        return "statement"
    if token.kind == "stop":
        return so_far or ("list" if token.text == "," else "statement")
    return so_far
