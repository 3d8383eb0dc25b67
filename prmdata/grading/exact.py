"""Answers compared in this process, exactly: numbers, fractions, tuples, intervals, sets, text.

`compare` says right or wrong where that is certain and `None` where an expression has to be
understood. Nothing is evaluated, every number is bounded: hostile text costs microseconds.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from fractions import Fraction

DIGITS = 40
"""Longer numbers are compared as text."""

_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname|mbox)\s*\{([^{}]*)\}")
_SPACES = re.compile(r"\\[,;:! ]|\\q?quad\b|~|\s+")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:(?:,|\{,\})\d{3})+)(?![\d]|,\d)")
_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_RATIO = re.compile(r"([-+]?\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")
_MIXED = re.compile(r"([-+]?)(\d+) (\d+)/(\d+)")
_POWER = re.compile(
    r"([-+]?(?:\d+\.?\d*|\.\d+))(?:[eE]([-+]?\d{1,4})|(?:\\times|\\cdot|x|\*)10\^\{?([-+]?\d{1,4})\}?)"
)
_TEN = re.compile(r"10\^\{?([-+]?\d{1,4})\}?")
_ASSIGNED = re.compile(r"^[a-zA-Z]\w{0,3}\s*(?:=|\\in)\s*(?=[^=]+$)")
_UNIT = re.compile(
    r"^(?P<value>[^a-zA-Z\\]*\d[^a-zA-Z\\]*?)\s*(?P<unit>(?:[a-zA-Z]{2,}|[a-zA-Z](?=$|\^|/| ))"
    r"[a-zA-Z0-9 /^{}.]*)$"
)
_DEGREES = re.compile(r"(?:\^\{?\\circ\}?|°|\\degree)$")


def compare(answer: str, gold: str) -> bool | None:
    """Whether the answer is the gold one; `None`: not to be said without understanding it."""
    if answer == gold:
        return True
    mine, theirs = _read(answer), _read(gold)
    if mine.text == theirs.text:
        return True
    if mine.parts is not None and theirs.parts is not None:
        return _same_parts(mine, theirs)
    if mine.parts is None and theirs.parts is None:
        if mine.number is not None and theirs.number is not None:
            return _same_number(mine, theirs)
        if mine.is_words and theirs.is_words:
            return mine.text.casefold() == theirs.text.casefold()
        if (mine.number is None) != (theirs.number is None) and (mine.is_words or theirs.is_words):
            return False
    return None


class Reading:
    """An answer taken apart as far as it is certain."""

    __slots__ = ("closing", "is_words", "number", "opening", "parts", "text", "unit")

    def __init__(self, text: str) -> None:
        self.text, self.unit = text, ""
        self.number: Fraction | None = None
        self.parts: tuple[Reading, ...] | None = None
        self.opening = self.closing = ""
        self.is_words = False


@functools.lru_cache(maxsize=4096)
def _read(raw: str) -> Reading:
    text = _plain(raw)
    reading = Reading(text)
    if len(text) > 400:
        return reading
    brackets = _bracketed(text)
    if brackets is not None:
        reading.opening, inner, reading.closing = brackets
        reading.parts = tuple(_read(part) for part in inner)
        return reading
    value, reading.unit = _unit(text)
    reading.number = number(value)
    if reading.number is None:
        reading.unit = ""
        reading.is_words = re.fullmatch(r"[^\W\d_]{2,}(?: [^\W\d_]+)*", text) is not None
    return reading


def _plain(raw: str) -> str:
    """The same answer without its typography."""
    text = raw.strip()
    if len(text) > 2000:
        return text
    for left, right in (("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if text.startswith(left) and text.endswith(right) and len(text) > len(left + right):
            text = text[len(left) : -len(right)]
    text = text.replace("\\$", "").replace("\\%", "%").replace("\\left", "").replace("\\right", "")
    text = text.replace("−", "-").replace("\\lbrace", "\\{").replace("\\rbrace", "\\}")
    text = _WORDS.sub(r" \1 ", text)
    text = _SPACES.sub(" ", text).strip().rstrip(".").strip()
    text = text.removeprefix("$").strip()
    text = _ASSIGNED.sub("", text)
    text = re.sub(r"\\cup\b", "∪", text)
    text = _DEGREES.sub(" degrees", text)
    text = _THOUSANDS.sub(lambda m: re.sub(r"[,{}]", "", m[1]), text)
    text = _FRACTION.sub(
        lambda m: f" {m[1] if m[1] is not None else m[2]}/{m[3] if m[3] is not None else m[4]}",
        text,
    )
    text = re.sub(r"(?<=-) (?=[\d])", "", text)
    return (
        re.sub(r"\s*([-+*/=,()\[\]])\s*", r"\1", text).replace(",", ", ").strip()
        if (_MIXED.search(text) is None)
        else text
    )


def number(text: str) -> Fraction | None:
    """The number that a text is, exactly; `None` where it is not a plain one."""
    text = text.strip()
    if not text or len(text) > DIGITS * 2:
        return None
    if text.endswith("%"):
        return number(text[:-1])
    if mixed := _MIXED.fullmatch(text):
        sign = -1 if mixed[1] == "-" else 1
        if int(mixed[4]) == 0 or max(map(len, mixed.groups())) > DIGITS:
            return None
        return sign * (int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4])))
    compact = text.replace(" ", "")
    if power := _POWER.fullmatch(compact):
        exponent = int(power[2] or power[3])
        if abs(exponent) > 60:
            return None
        return Fraction(Decimal(power[1])) * Fraction(10) ** exponent
    if power := _TEN.fullmatch(compact):
        return Fraction(10) ** int(power[1]) if abs(int(power[1])) <= 60 else None
    if ratio := _RATIO.fullmatch(compact):
        bottom = Fraction(Decimal(ratio[2]))
        return Fraction(Decimal(ratio[1])) / bottom if bottom else None
    if _NUMBER.fullmatch(compact) and len(compact) <= DIGITS:
        return Fraction(Decimal(compact))
    return None


def _unit(text: str) -> tuple[str, str]:
    """A value and the unit that follows it: `5 cm`, `12 dollars`, `28%`."""
    if text.endswith("%"):
        return text[:-1].strip(), "%"
    if _POWER.fullmatch(text.replace(" ", "")):
        return text, ""
    found = _UNIT.match(text)
    if found and number(found["value"]) is not None:
        return found["value"], re.sub(r"[\s.{}]", "", found["unit"]).casefold()
    return text, ""


def _same_number(mine: Reading, theirs: Reading) -> bool:
    """28% is 28 where percents are asked for, and 0.28 where a share is."""
    if (mine.unit == "%") != (theirs.unit == "%"):
        percent, other = (mine, theirs) if mine.unit == "%" else (theirs, mine)
        share = None if percent.number is None else percent.number / 100
        return other.unit == "" and other.number in (percent.number, share)
    return mine.number == theirs.number and _units_agree(mine.unit, theirs.unit)


def _units_agree(mine: str, theirs: str) -> bool:
    """A unit that only one side gives is taken as understood; two that differ are not the same."""
    if not mine or not theirs:
        return True
    return _singular(mine) == _singular(theirs)


def _singular(unit: str) -> str:
    return unit[:-1] if len(unit) > 2 and unit.endswith("s") else unit


def _bracketed(text: str) -> tuple[str, tuple[str, ...], str] | None:
    """`(1, 2)`, `[0, 5)`, `\\{1, 2\\}`, `1, 2`: the opening, the parts, the closing."""
    opening = closing = ""
    inner = text
    for left, right in (("\\{", "\\}"), ("(", ")"), ("[", "]"), ("(", "]"), ("[", ")")):
        if text.startswith(left) and text.endswith(right) and len(text) >= len(left + right):
            inside = text[len(left) : -len(right)]
            if _balanced(inside):
                opening, inner, closing = left, inside, right
                break
    parts = _split_commas(inner)
    if parts is None or (len(parts) < 2 and opening != "\\{"):
        return None
    return opening, tuple(parts), closing


def _balanced(text: str) -> bool:
    depth = 0
    for mark in text:
        depth += (mark in "([") - (mark in ")]")
        if depth < 0:
            return False
    return depth == 0


def _split_commas(text: str) -> list[str] | None:
    parts, depth, start = [], 0, 0
    for at, mark in enumerate(text):
        depth += (mark in "([{") - (mark in ")]}")
        if mark == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return parts if depth == 0 and all(parts) and "..." not in text and "dots" not in text else None


def _same_parts(mine: Reading, theirs: Reading) -> bool | None:
    assert mine.parts is not None
    assert theirs.parts is not None
    unordered = {mine.opening, theirs.opening} <= {"", "\\{"}
    if not unordered and (mine.opening, mine.closing) != (theirs.opening, theirs.closing):
        bare = "" in (mine.opening, theirs.opening)
        return None if bare else False
    if len(mine.parts) != len(theirs.parts) and not unordered:
        return False
    pairs = [[compare(a.text, b.text) for b in theirs.parts] for a in mine.parts]
    if not unordered:
        line = [pairs[i][i] for i in range(len(pairs))]
        return False if False in line else None if None in line else True
    if any(None in row for row in pairs):
        return None
    return all(any(row) for row in pairs) and all(map(any, zip(*pairs, strict=True)))


def canonical(answer: str) -> str:
    """A form that equal answers share: `1,000`, `1000` and `1000.0` count as one."""
    reading = _read(answer)
    if reading.parts is not None:
        parts = [canonical(part.text) for part in reading.parts]
        inner = sorted(parts) if reading.opening in ("", "\\{") else parts
        return f"{reading.opening}{', '.join(inner)}{reading.closing}"
    if reading.number is not None:
        return str(reading.number)
    return reading.text.casefold() if reading.is_words else reading.text
