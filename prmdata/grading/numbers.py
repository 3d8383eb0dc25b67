"""The exact number that a text is, with its unit; bounded, so that hostile digits cost nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from prmdata.grading.units import unit_of

DIGITS = 40
"""Longer numbers are compared as text."""
EXPONENT = 60

_DECIMAL = r"(?:\d+\.?\d*|\.\d+)"
_NUMBER = re.compile(rf"[-+]?{_DECIMAL}")
_RATIO = re.compile(rf"([-+]?{_DECIMAL})/(-?{_DECIMAL})")
_FRACTION = re.compile(r"([-+]?)(\d*)\\frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}")
_MIXED = re.compile(r"([-+]?)(\d+)(?: |-|\+| and )(\d+)/(\d+)")
_POWER = re.compile(
    rf"([-+]?{_DECIMAL})(?:[eE]([-+]?\d{{1,4}})|[x*]\s?10\^\{{?([-+]?\d{{1,4}})\}}?)"
)
_TEN = re.compile(r"10\^\{?([-+]?\d{1,4})\}?")
_MANY = {
    "dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "trillion": 10**12,
}  # fmt: skip
_SCALED = re.compile(rf"([-+]?{_DECIMAL})\s?({'|'.join(_MANY)})s?")
_CURRENCY = re.compile(r"([-+]?)\s?(\\\$|[$€£¥₹])\s?(?=[-+]?[\d.])|\s?(\\\$|[€£¥₹])$")
_LEADING = re.compile(
    rf"[-+]?(?:\d*\\frac\{{[^{{}}]{{1,40}}\}}\{{[^{{}}]{{1,40}}\}}|{_DECIMAL}"
    rf"(?:[x*]10\^\{{?[-+]?\d{{1,4}}\}}?|(?: \d+)?/{_DECIMAL})?"
    rf"(?:\s?(?:{'|'.join(_MANY)})s?(?![a-z]))?)"
)


def number(text: str) -> Fraction | None:
    """`None` where the text is not a plain number."""
    text = text.strip()
    if not text or len(text) > DIGITS * 3:
        return None
    if text.endswith("%"):
        return number(text[:-1])
    if text[0] == "(" and text[-1] == ")" and "(" not in text[1:]:
        return number(text[1:-1])
    if mixed := _MIXED.fullmatch(text):
        return _mixed(mixed[1], mixed[2], number(mixed[3]), number(mixed[4]))
    if found := _FRACTION.fullmatch(text):
        return _mixed(found[1], found[2] or "0", number(found[3]), number(found[4]))
    if scaled := _SCALED.fullmatch(text):
        value = number(scaled[1])
        return None if value is None else value * _MANY[scaled[2]]
    return _simple(text.replace(" ", ""))


def _simple(text: str) -> Fraction | None:
    if power := _POWER.fullmatch(text):
        return _times_ten(power[1], int(power[2] or power[3]))
    if power := _TEN.fullmatch(text):
        return _times_ten("1", int(power[1]))
    if len(text) > DIGITS:
        return None
    if ratio := _RATIO.fullmatch(text):
        bottom = Fraction(Decimal(ratio[2]))
        return Fraction(Decimal(ratio[1])) / bottom if bottom else None
    return Fraction(Decimal(text)) if _NUMBER.fullmatch(text) else None


def _times_ten(digits: str, exponent: int) -> Fraction | None:
    if abs(exponent) > EXPONENT or len(digits) > DIGITS:
        return None
    return Fraction(Decimal(digits)) * Fraction(10) ** exponent


def _mixed(sign: str, whole: str, top: Fraction | None, bottom: Fraction | None) -> Fraction | None:
    if top is None or not bottom or len(whole) > DIGITS:
        return None
    value = int(whole) + top / bottom
    return -value if sign == "-" else value


def quantity(text: str) -> tuple[Fraction | None, str]:
    """A value and the unit with it: `5 cm`, `12 dollars per day`, `€5`, `28%`.

    The text is spelled as `plain` spells it, with its currency signs.
    """
    currency = _CURRENCY.search(text)
    unit = ""
    if currency is not None:
        unit = (currency[2] or currency[3]).replace("\\", "")
        text = text[: currency.start()] + (currency[1] or "") + text[currency.end() :]
    text = text.strip()
    if (value := number(text)) is not None:
        return value, unit or ("%" if text.endswith("%") else "")
    leading = _LEADING.match(text)
    if leading is None:
        return None, ""
    words = text[leading.end() :]
    parted = words[:1].isspace() or words[:1] in "/%°" or not words[:1].isalpha()
    named = unit_of(words)
    if named is None or (not parted and not _short(words)):
        return None, ""
    return number(leading[0]), named if not unit else f"{unit}{_rest(named)}"


def _short(words: str) -> bool:
    """`5cm` and `35mph` are quantities; a lone letter without a space is a factor, as in `5m`."""
    return bool(re.match(r"[a-zA-Z]{2,}", words))


def _rest(named: str) -> str:
    """Of `$18 per day`, what follows the dollar."""
    return "" if named in ("$", "€", "£", "¥", "cent") else f"/{named.lstrip('/')}"
