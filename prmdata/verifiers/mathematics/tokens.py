"""A step's text → tokens: numbers, operators, words, and where one statement ends.

They are scanned, settled beside their neighbours, joined where an equality runs across a line, and
their brackets are paired. What is not understood is `other`, which no reading crosses.
"""

from __future__ import annotations

from prmdata.verifiers.mathematics.brackets import balance
from prmdata.verifiers.mathematics.scanning import Token, readable, scan
from prmdata.verifiers.mathematics.settling import settle
from prmdata.verifiers.mathematics.vocabulary import DOUBTS, FUNCTIONS

__all__ = ["Token", "readable", "tokens_of"]


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, with brackets that hold whole statements turned into stops."""
    return balance(_without_remarks(_join(_bulleted(settle(list(scan(text)))))))


def _bulleted(tokens: list[Token]) -> list[Token]:
    """With dashes before mathematics as bullets, where what stands before them is whole.

    `the roots are: - $x = 2$ - $x = 3$`, all on one line; but `$10$ - $3$ = $7$`.
    """
    whole = True
    for at, token in enumerate(tokens):
        if token.kind in ("stop", "equal"):
            whole = True
        elif token.kind == "edge" and token.math:
            whole = False
        elif token.kind == "operator" and token.text == "-" and whole:
            before = tokens[at - 1].kind if at else "stop"
            after = tokens[at + 1].kind if at + 1 < len(tokens) else ""
            if before in ("edge", "stop") and after == "edge":
                tokens[at] = token._replace(kind="stop")
    return tokens


def _without_remarks(tokens: list[Token]) -> list[Token]:
    """Without what is told of a number inside a sum: `10 (from John) + 5 (from Mary) = 15`.

    Only words, only where the sum goes on after them, and none that cast doubt on a number.
    """
    left: list[Token] = []
    at = 0
    while at < len(tokens):
        end = _remark_end(tokens, at)
        at = end or at
        if not end:
            left.append(tokens[at])
            at += 1
    return left


_REMARKED = frozenset(("number", "percent", "close", "word", "money"))
_LONGEST_REMARK = 12


def _remark_end(tokens: list[Token], start: int) -> int:
    """Where the remark that starts here ends; 0 where there is none."""
    before = tokens[start - 1] if start else None
    if tokens[start].text != "(" or before is None or before.kind not in _REMARKED:
        return 0
    if before.kind == "word" and before.end == tokens[start].start:
        return 0  # cos(angle)
    end = start + 1
    while end < min(len(tokens), start + _LONGEST_REMARK) and _is_told(tokens[end]):
        end += 1
    following = tokens[end + 1] if end + 1 < len(tokens) else None
    closed = end < len(tokens) and tokens[end].text == ")" and end > start + 1
    goes_on = following is not None and following.kind in ("operator", "equal", "near")
    return end + 1 if closed and goes_on else 0


def _is_told(token: Token) -> bool:
    word = token.text.lower()
    plain = len(max(word.split("-"), key=len)) > 1 and word not in DOUBTS | FUNCTIONS
    return (token.kind == "word" and plain) or word == ","


def _join(tokens: list[Token]) -> list[Token]:
    """Without the edges and line ends that an equality runs across: `$2+3$ = $5$`."""
    links = ("equal", "near", "operator")
    joined: list[Token] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].kind if index + 1 < len(tokens) else ""
        last = joined[-1].kind if joined else ""
        crossed = token.kind == "edge" and (following in links or last in links)
        if token.kind == "stop" and token.text in ("\n", "\\\\"):
            crossed = following in links[:2] or last in links[:2]
        if not crossed:
            joined.append(token)
    return joined
