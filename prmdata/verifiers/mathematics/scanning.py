"""Text → raw tokens, in one pass of a regular expression that backtracks over little.

What a token is may still depend on its neighbours: `settling` decides that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

_SCAN = re.compile(
    r"""
    (?P<label>(?:^|(?<=\n))[ \t]{0,8}
             (?:\(?(?:[0-9]{1,2}|[a-zA-Z])[.)](?=\s(?!\s?[-+*/^=×·÷<>]))|[-*+•](?=\s)))
  | (?P<text>\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname)\s{0,4}\{[^{}]{0,200}\})
  | (?P<enter>\\\[|\\\(|\\begin\{(?:align|equation|gather|aligned|split|multline)\*?\})
  | (?P<leave>\\\]|\\\)|\\end\{(?:align|equation|gather|aligned|split|multline)\*?\})
  | (?P<row>\\\\)
  | (?P<line>\n)
  | (?P<space>[ \t\r\xa0]+|\\[,;:!\ ]|&|\\(?:left|right|[bB]igg?[lr]?|displaystyle)
             (?![a-zA-Z]))
  | (?P<degree>\^\s?(?:\\circ|\{\s?\\circ\s?\})|°)
  | (?P<dots>\.\.+|…|\\[clv]?dots[bcmio]?(?![a-zA-Z]))
  | (?P<number>(?:[0-9]{1,3}(?:(?:,|\{,\}|\\,|,\\!)[0-9]{3}){1,8}(?![0-9])|[0-9]+)(?:\.[0-9]+)?
             |(?<![0-9])\.[0-9]+)
  | (?P<glyph>[½¼¾⅓⅔])
  | (?P<percent>\\?%)
  | (?P<money>\\\$|[£€¥₹₽₩₱₦฿₫₪])
  | (?P<dollar>\$\$?)
  | (?P<arrow><=>|[-=]{1,3}>|[⇒→⟹∴]|\\(?:implies|iff|[rR]ightarrow|Longrightarrow|q?quad|therefore)
             (?![a-zA-Z]))
  | (?P<equal>==?(?![<>=/]))
  | (?P<near>≈|≃|\\approx(?![a-zA-Z]))
  | (?P<relation>!=|=/=|<=|>=|[<>≠≤≥≡∈]|\\(?:neq?|l[et]q?|g[et]q?|leqslant|geqslant|equiv|in|sim)
             (?![a-zA-Z]))
  | (?P<command>\\[a-zA-Z]+)
  | (?P<superscript>[⁰¹²³⁴⁵⁶⁷⁸⁹])
  | (?P<subscript>[₀₁₂₃₄₅₆₇₈₉]+)
  | (?P<pi>π)
  | (?P<word>[^\W\d_π⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]+(?:['’-][^\W\d_π⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]+)*)
  | (?P<operator>\*\*|[-+*/^×·⋅∙÷−–∗])
  | (?P<root>√)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<stop>[.,;:?!—])
  | (?P<other>\\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ALIGNED = re.compile(r"^[^$]{0,200}(?:&\s?=|=\s?&)")
_BLOCKS = re.compile(
    r"\[asy\]|```|\\begin\{((?:[pbvVB]|small)?matrix|array|cases|tabular|asy|verbatim)\}"
)
_BARE_ARGUMENTS = re.compile(r"(\\[dtc]?(?:frac|binom))\s?([0-9])\s?([0-9])")


class Token(NamedTuple):
    kind: str
    """number, name, word, operator, open, close, fraction, root, binomial, pi, money, percent,
    bang, equal, near, relation, stop (a statement ends), edge (of `$…$`) or other."""
    text: str
    start: int
    end: int
    math: bool
    value: Fraction = Fraction(0)
    places: int = 0
    """Digits shown after the decimal point."""


def readable(text: str) -> str:
    """The text with its drawings, code and matrices replaced by a mark that is not read, and
    `\\frac12` with braces."""
    return _BARE_ARGUMENTS.sub(r"\1{\2}{\3}", _without_blocks(text))


def _without_blocks(text: str) -> str:
    parts, at = [], 0
    while match := _BLOCKS.search(text, at):
        close = f"\\end{{{match[1]}}}" if match[1] else {"[": "[/asy]", "`": "```"}[match[0][0]]
        end = text.find(close, match.end())
        parts += [text[at : match.start()], " \\unread "]
        at = len(text) if end < 0 else end + len(close)
    return "".join([*parts, text[at:]])


def scan(text: str) -> Iterator[Token]:
    """Tokens as they stand, with `$` told apart: an edge of mathematics or a sign of money."""
    edges = _edges(text)
    inside = _ALIGNED.search(text) is not None
    for match in _SCAN.finditer(text):
        kind, body, start, end = match.lastgroup or "", match[0], match.start(), match.end()
        if kind == "space":
            continue
        if kind in ("enter", "leave") or start in edges:
            inside = kind == "enter" or (kind == "dollar" and not inside)
            yield Token("edge", body, start, end, inside)
        elif kind == "text":
            yield from _words(match)
        elif not (kind == "line" and inside):
            yield Token("money" if kind == "dollar" else kind, body, start, end, inside)


def _words(match: re.Match[str]) -> Iterator[Token]:
    """What `\\text{…}` says: words, or something that is not read."""
    body = match[0].partition("{")[2][:-1]
    for part in re.finditer(r"[^\W\d_]+|[^\s,.;:()$\\]", body):
        kind = "word" if part[0].isalpha() else "other"
        at = match.end() - 1 - len(body)
        yield Token(kind, part[0], at + part.start(), at + part.end(), False)


def _edges(text: str) -> set[int]:
    """Where `$` opens or closes mathematics: no space inside it, no digit after its end."""
    edges: set[int] = set()
    opened: int | None = None
    for match in re.finditer(r"(?<!\\)\$\$?", text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if len(match[0]) == 2:
            edges.add(match.start())
        elif opened is not None and before.strip() and before != "(" and not after.isdigit():
            edges.update((opened, match.start()))
            opened = None
        elif after.strip() and opened is None:
            opened = match.start()
        elif opened is not None:
            opened = match.start() if after.strip() else None
    return edges
