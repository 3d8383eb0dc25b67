"""Does an output agree with what a trace states? Numbers within the digits shown, text but for
white space; `None` where they differ only in ways that depend on the machine.
"""

from __future__ import annotations

import re
from decimal import Decimal

_GROUPED = r"\d{1,3}(?:,\d{3})+(?!\d)|\d+"
_PLAIN = r"\d+"
_TOKEN = r"(?:(?<![\w.)\]])[-+])?(?:(?:{whole})(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[^\W\d]+|[^\w\s]"
_TOKENS = [re.compile(_TOKEN.format(whole=whole)) for whole in (_PLAIN, _GROUPED)]
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
_QUOTES = "'\"`$"
_CUT = re.compile(r"\.\.\.|…|\[truncated", re.IGNORECASE)
LONGEST = 20_000
"""Characters that are compared; of more, nothing can be told."""


def agrees(stated: str, printed: str) -> bool | None:
    if max(len(stated), len(printed)) > LONGEST or _CUT.search(stated) or _ADDRESS.search(printed):
        return True if stated == printed else None
    readings = [(_read(stated, i), _read(printed, j)) for i in (0, 1) for j in (0, 1)]
    if any(_same(a, b) for a, b in readings):
        return True
    loose = any(sorted(map(_folded, a)) == sorted(map(_folded, b)) for a, b in readings)
    return None if loose else False  # the order of a set, or upper and lower case


def names(stated: str, printed: str) -> bool | None:
    """Whether a sentence names the output: a line of it, or a part of its only line."""
    lines = [line for line in printed.splitlines() if line.strip()]
    if any(agrees(stated, line) for line in lines):
        return True
    if len(lines) != 1 or len(printed) > LONGEST:
        return None
    for at in (0, 1):
        part, whole = _read(stated, at), _read(lines[0], at)
        if part and any(_same(part, whole[i : i + len(part)]) for i in range(len(whole))):
            return True
    return agrees(stated, lines[0])


def _read(text: str, grouped: int) -> list[str]:
    return [token for token in _TOKENS[grouped].findall(text) if token not in _QUOTES]


def _same(stated: list[str], printed: list[str]) -> bool:
    return len(stated) == len(printed) and all(map(_alike, stated, printed))


def _alike(stated: str, printed: str) -> bool:
    if stated == printed:
        return True
    a, b = _number(stated), _number(printed)
    if a is None or b is None:
        return False
    exponent = a.as_tuple().exponent
    shown = exponent if isinstance(exponent, int) else 0
    unit = Decimal(1).scaleb(shown) if "." in stated or "e" in stated.lower() else Decimal(0)
    return a == b or abs(a - b) < unit  # rounded or cut off


def _number(token: str) -> Decimal | None:
    if not any(letter.isdigit() for letter in token):
        return None
    digits = token.replace(",", "")
    mantissa, _, power = digits.lower().partition("e")
    return None if len(power) > 5 or not mantissa else Decimal(digits)


def _folded(token: str) -> str:
    return token.casefold()
