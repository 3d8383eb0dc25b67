"""A step's text → tokens: numbers, operators, words, and where one statement ends.

One pass of one regular expression that cannot backtrack over more than a bounded stretch, then
one pass over its tokens that settles what depends on neighbours: money or mathematics (`$`),
times or a variable (`x`), a power or bold type (`**`). What is not understood becomes `other`,
which no reading crosses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from prmdata.verifiers.vocabulary import SHORT_WORDS, TIGHT_UNITS

DEEPEST = 24
"""Brackets nested deeper are not read."""

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
  | (?P<money>\\\$|[£€])
  | (?P<dollar>\$\$?)
  | (?P<arrow><=>|[-=]{1,3}>|[⇒→⟹∴]|\\(?:implies|iff|[rR]ightarrow|Longrightarrow|q?quad|therefore)
             (?![a-zA-Z]))
  | (?P<equal>==?(?![<>=/]))
  | (?P<near>≈|≃|\\approx(?![a-zA-Z]))
  | (?P<relation>!=|=/=|<=|>=|[<>≠≤≥≡∈]|\\(?:neq?|l[et]q?|g[et]q?|leqslant|geqslant|equiv|in|sim)
             (?![a-zA-Z]))
  | (?P<command>\\[a-zA-Z]+)
  | (?P<superscript>[⁰¹²³⁴⁵⁶⁷⁸⁹])
  | (?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
  | (?P<operator>\*\*|[-+*/^×·⋅∙÷−–∗])
  | (?P<root>√)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<stop>[.,;:?!—])
  | (?P<other>\\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NO_DIGIT = re.compile(r"[^0-9.]")
_ALIGNED = re.compile(r"^[^$]{0,200}(?:&\s?=|=\s?&)")
_OPERATORS = {"×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "÷": "/", "−": "-", "–": "-"}
_OPERATORS |= {"**": "^"} | {mark: mark for mark in "+-*/^"}
_COMMANDS = {
    "\\times": ("operator", "*"),
    "\\cdot": ("operator", "*"),
    "\\ast": ("operator", "*"),
    "\\div": ("operator", "/"),
    "\\frac": ("fraction", ""),
    "\\dfrac": ("fraction", ""),
    "\\tfrac": ("fraction", ""),
    "\\cfrac": ("fraction", ""),
    "\\binom": ("binomial", ""),
    "\\dbinom": ("binomial", ""),
    "\\tbinom": ("binomial", ""),
    "\\sqrt": ("root", ""),
    "\\pi": ("pi", ""),
    "\\boxed": ("skip", ""),
    "\\fbox": ("skip", ""),
    "\\degree": ("word", "degrees"),
}
_GLYPHS = {"½": (1, 2), "¼": (1, 4), "¾": (3, 4), "⅓": (1, 3), "⅔": (2, 3)}
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_VALUES = frozenset(("number", "name", "close", "percent", "pi"))


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


_BLOCKS = re.compile(
    r"\[asy\]|```|\\begin\{((?:[pbvVB]|small)?matrix|array|cases|tabular|asy|verbatim)\}"
)


_BARE_ARGUMENTS = re.compile(r"(\\[dtc]?(?:frac|binom))\s?([0-9])\s?([0-9])")


def readable(text: str) -> str:
    """The text with its drawings, code and matrices replaced by a mark that is not read, and
    `\\frac12` with braces."""
    return _BARE_ARGUMENTS.sub(r"\1{\2}{\3}", _without_blocks(text))


def _without_blocks(text: str) -> str:
    parts, at = [], 0
    while found := _BLOCKS.search(text, at):
        close = f"\\end{{{found[1]}}}" if found[1] else {"[": "[/asy]", "`": "```"}[found[0][0]]
        end = text.find(close, found.end())
        parts += [text[at : found.start()], " \\unread "]
        at = len(text) if end < 0 else end + len(close)
    return "".join([*parts, text[at:]])


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, with brackets that hold whole statements turned into stops."""
    settled = _settle(list(_scan(text)))
    return _balance(_join(settled))


def _scan(text: str) -> Iterator[Token]:
    """Tokens as they stand, with `$` told apart: an edge of mathematics or a sign of money."""
    edges = _edges(text)
    inside = _ALIGNED.search(text) is not None
    for found in _SCAN.finditer(text):
        kind, body, start, end = found.lastgroup or "", found[0], found.start(), found.end()
        if kind == "space":
            continue
        if kind in ("enter", "leave") or start in edges:
            inside = kind == "enter" or (kind == "dollar" and not inside)
            yield Token("edge", body, start, end, inside)
        elif kind == "text":
            yield from _words(found)
        elif not (kind == "line" and inside):
            yield Token("money" if kind == "dollar" else kind, body, start, end, inside)


def _words(found: re.Match[str]) -> Iterator[Token]:
    """What `\\text{…}` says: words, or something that is not read."""
    body = found[0].partition("{")[2][:-1]
    for part in re.finditer(r"[^\W\d_]+|[^\s,.;:()$\\]", body):
        kind = "word" if part[0].isalpha() else "other"
        at = found.end() - 1 - len(body)
        yield Token(kind, part[0], at + part.start(), at + part.end(), False)


def _edges(text: str) -> set[int]:
    """Where `$` opens or closes mathematics: no space inside it, no digit after its end."""
    edges: set[int] = set()
    opened: int | None = None
    for found in re.finditer(r"(?<!\\)\$\$?", text):
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if len(found[0]) == 2:
            edges.add(found.start())
        elif opened is not None and before.strip() and before != "(" and not after.isdigit():
            edges.update((opened, found.start()))
            opened = None
        elif after.strip() and opened is None:
            opened = found.start()
        elif opened is not None:
            opened = found.start() if after.strip() else None
    return edges


def _settle(raw: list[Token]) -> list[Token]:
    """Tokens with what their neighbours decide decided."""
    settled: list[Token] = []
    blank = Token("stop", "", -1, -1, False)
    for index, token in enumerate(raw):
        last = settled[-1] if settled else blank
        following = raw[index + 1] if index + 1 < len(raw) else blank
        change = _SETTLERS.get(token.kind)
        kept = change(token, last, following) if change else token
        if kept is not None:
            settled.append(kept)
    return settled


def _number(token: Token, last: Token, following: Token) -> Token:
    digits = token.text if token.text.isdigit() else _NO_DIGIT.sub("", token.text)
    if len(digits) > 40:
        return token._replace(kind="other")
    places = len(digits.partition(".")[2])
    value = Fraction(int(digits.replace(".", "")), 10**places) if places else Fraction(int(digits))
    return token._replace(value=value, places=places)


def _glyph(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="number", value=Fraction(*_GLYPHS[token.text]), places=-1)


def _superscript(token: Token, last: Token, following: Token) -> Token:
    value = Fraction(_SUPERSCRIPTS.index(token.text))
    tight = following.kind != "superscript" and last.kind in _VALUES
    return token._replace(kind="superscript" if tight else "other", value=value)


def _command(token: Token, last: Token, following: Token) -> Token | None:
    kind, text = _COMMANDS.get(token.text, ("other", token.text))
    return None if kind == "skip" else token._replace(kind=kind, text=text)


def _operator(token: Token, last: Token, following: Token) -> Token | None:
    if token.text == "**" and not (
        last.kind in _VALUES and following.kind in ("number", "name", "open", "word")
    ):
        return None  # bold type
    return token._replace(text=_OPERATORS[token.text])


def _word(token: Token, last: Token, following: Token) -> Token:
    """A word, a variable, a sign of multiplication (`5 x 3`), or letters not understood."""
    word = token.text
    glued = last.kind in _VALUES and last.end == token.start
    if word in "xX" and last.kind in ("number", "close", "percent", "word", "glyph"):
        plain = following.kind in ("number", "money", "open") and not (glued and token.math)
        if plain and last.kind != "word":
            return token._replace(kind="operator", text="*")
    if len(word) == 1 and word.isascii():
        article = word in "aAI" and not glued and not token.math
        beside = {last.kind, following.kind} & {"operator", "equal"}
        return token if article and not beside else token._replace(kind="name")
    if word == "π":
        return token._replace(kind="pi")
    if word == "sqrt" and following.kind == "open":
        return token._replace(kind="root")
    if word == "percent" and last.kind == "number":
        return token._replace(kind="percent")
    return token if _is_word(token, glued) else token._replace(kind="other")


def _is_word(token: Token, glued: bool) -> bool:
    word = token.text.lower()
    if not word.isascii():
        return True
    if glued or token.math:
        return word in TIGHT_UNITS
    return len(word) > 2 or word in SHORT_WORDS


def _stop(token: Token, last: Token, following: Token) -> Token:
    """The end of a statement; not the `:` of a ratio or a time, nor a comma between digits."""
    tight_before, tight_after = last.end == token.start, following.start == token.end
    if token.text == "!" and tight_before and last.kind in ("number", "close"):
        return token._replace(kind="bang")
    if token.text == ":" and (not tight_before or (tight_after and following.kind == "number")):
        return token._replace(kind="other")
    between = tight_before and tight_after and last.kind == following.kind == "number"
    if token.text == "." and tight_before and tight_after and last.kind == "number":
        between = following.kind == "command"  # 0.\overline{3}
    return token._replace(kind="other") if between else token


def _stopping(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="stop", text="\n" if token.kind == "line" else token.text)


def _label(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="stop", text=token.text.strip())


def _degree(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="word", text="degrees")


def _unread(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="other")


_SETTLERS = {
    "number": _number,
    "glyph": _glyph,
    "superscript": _superscript,
    "command": _command,
    "operator": _operator,
    "word": _word,
    "stop": _stop,
    "line": _stopping,
    "row": _stopping,
    "arrow": _stopping,
    "label": _label,
    "degree": _degree,
    "dots": _unread,
}


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


_PAIRS = {"(": ")", "[": "]", "{": "}"}


def _balance(tokens: list[Token]) -> list[Token]:
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
