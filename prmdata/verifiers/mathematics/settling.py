"""Raw tokens → what they are beside their neighbours: times or a variable (`x`), a power or bold
type (`**`), the end of a statement or a decimal point. What is not understood becomes `other`.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from prmdata.verifiers.mathematics.scanning import Token
from prmdata.verifiers.mathematics.vocabulary import SHORT_WORDS, TIGHT_UNITS

_CROSSES = "✗✘✖❌✕❎"
"""They say that what stands before them is false."""
_GREEK = re.compile(r"[α-ωΑ-Ω]")
_NO_DIGIT = re.compile(r"[^0-9.]")
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


def settle(raw: list[Token]) -> list[Token]:
    """Tokens with what their neighbours decide decided."""
    settled: list[Token] = []
    blank = Token("stop", "", -1, -1, False)
    for index, token in enumerate(raw):
        last = settled[-1] if settled else blank
        following = raw[index + 1] if index + 1 < len(raw) else blank
        change = _SETTLERS.get(token.kind)
        changed = change(token, last, following) if change else token
        if changed is not None:
            settled.append(changed)
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


def _superscript(token: Token, last: Token, following: Token) -> Token | None:
    if last.kind == "word" and last.end == token.start and last.text in TIGHT_UNITS:
        return None  # 9 cm²: its unit says nothing of the number
    value = Fraction(_SUPERSCRIPTS.index(token.text))
    tight = following.kind != "superscript" and last.kind in _VALUES
    return token._replace(kind="superscript" if tight else "other", value=value)


def _command(token: Token, last: Token, following: Token) -> Token | None:
    kind, text = _COMMANDS.get(token.text, ("other", token.text))
    return None if kind == "skip" else token._replace(kind=kind, text=text)


def _operator(token: Token, last: Token, following: Token) -> Token | None:
    if token.text == "**":
        spaced = (last.end == token.start) != (following.start == token.end)
        powers = last.kind in _VALUES and following.kind in ("number", "name", "open", "word")
        if spaced or not powers:
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
    if word == "sqrt" and following.kind == "open":
        return token._replace(kind="root")
    if word == "percent" and last.kind == "number":
        return token._replace(kind="percent")
    return token if _is_word(token, glued) else token._replace(kind="other")


def _is_word(token: Token, glued: bool) -> bool:
    word = token.text.lower()
    if not word.isascii():
        return not _GREEK.match(word)  # letters of formulas, unlike other scripts
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
        between = following.kind in ("command", "open")  # 0.\overline{3}, 0.(3)
    return token._replace(kind="other") if between else token


def _stopping(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="stop", text="\n" if token.kind == "line" else token.text)


def _label(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="stop", text=token.text.strip())


def _degree(token: Token, last: Token, following: Token) -> Token:
    return token._replace(kind="word", text="degrees")


def _other(token: Token, last: Token, following: Token) -> Token:
    """The edge of a table's cell and a tick end a statement; bars around a number do not."""
    if token.text == "|":
        spaced = last.end < token.start and following.start != token.end
        return token._replace(kind="stop") if spaced else token
    tick = len(token.text) == 1 and unicodedata.category(token.text) == "So"
    return token._replace(kind="stop") if tick and token.text not in _CROSSES else token


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
    "subscript": _unread,
    "other": _other,
}
