"""A step's text → tokens: numbers, operators, words, and where one statement ends.

They are scanned, settled beside their neighbours, joined where an equality runs across a line, and
their brackets are paired. What is not understood is `other`, which no reading crosses.
"""

from __future__ import annotations

from prmdata.verifiers.mathematics.brackets import balance
from prmdata.verifiers.mathematics.scanning import Token, readable, scan
from prmdata.verifiers.mathematics.settling import settle

__all__ = ["Token", "readable", "tokens_of"]


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, with brackets that hold whole statements turned into stops."""
    return balance(_join(settle(list(scan(text)))))


def _join(tokens: list[Token]) -> list[Token]:
    """Without the edges and line ends that an equality runs across: `$2+3$ = $5$`."""
    links = ("equal", "near", "operator")
    kept: list[Token] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].kind if index + 1 < len(tokens) else ""
        last = kept[-1].kind if kept else ""
        crossed = token.kind == "edge" and (following in links or last in links)
        if token.kind == "stop" and token.text in ("\n", "\\\\"):
            crossed = following in links[:2] or last in links[:2]
        if not crossed:
            kept.append(token)
    return kept
