"""Answers compared exactly: numbers, units, tuples, intervals, sets, equations by name, words.

`compare` says right or wrong where that is certain. What has to be understood goes to
`understand`, where one is given, and makes the answer `None` where none is. Nothing is evaluated
here, every number is bounded: hostile text costs microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from prmdata.grading.reading import Reading, read

Understand = Callable[[str, str], bool | None]
"""(answer, gold) → whether two expressions are the same; `None`: one cannot be read."""
MOST_PARTS = 200
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}")


def compare(
    answer: str, gold: str, *, ordered: bool = False, understand: Understand | None = None
) -> bool | None:
    """Whether the answer is the gold one.

    `ordered`: the order of a bare list counts, as it always does in `(1, 2)`.
    """
    if answer == gold:
        return True
    return _Comparison(ordered, understand).same(read(answer), read(gold))


class _Comparison:
    def __init__(self, ordered: bool, understand: Understand | None) -> None:
        self._ordered = ordered
        self._understand = understand

    def same(self, mine: Reading, theirs: Reading) -> bool | None:
        if mine.name and theirs.name and mine.name.casefold() != theirs.name.casefold():
            both = f"{mine.name}={mine.text}", f"{theirs.name}={theirs.text}"
            return self._statements(*both, mine, theirs)
        if mine.text == theirs.text and mine.shape == theirs.shape != "number":
            return True
        if "parts" in (mine.shape, theirs.shape):
            return self._lists(mine, theirs)
        if "statement" in (mine.shape, theirs.shape):
            return self._statement(mine, theirs)
        if mine.number is not None and theirs.number is not None:
            return _same_number(mine, theirs)
        if mine.shape == theirs.shape == "words":
            return mine.text.casefold() == theirs.text.casefold()
        if mine.text.casefold() == theirs.text.casefold() and _WORD.search(mine.text):
            return True
        if "words" in (mine.shape, theirs.shape) and "number" in (mine.shape, theirs.shape):
            return False
        if mine.unit and theirs.unit and mine.unit != theirs.unit:
            return False
        return self._understood(mine.text, theirs.text)

    def _understood(self, mine: str, theirs: str) -> bool | None:
        return None if self._understand is None else self._understand(mine, theirs)

    def _statement(self, mine: Reading, theirs: Reading) -> bool | None:
        """An equation against an equation, or what it says of a value against that value."""
        return self._statements(_said(mine), _said(theirs), mine, theirs)

    def _statements(self, a: str, b: str, mine: Reading, theirs: Reading) -> bool | None:
        plain_values = mine.number is not None and theirs.number is not None
        if plain_values and _letters(mine.name) and _letters(theirs.name):
            return False  # x=5 is not y=5
        return self._understood(a, b)

    def _lists(self, mine: Reading, theirs: Reading) -> bool | None:
        if mine.shape != "parts" or theirs.shape != "parts":
            return self._one_against_list(mine, theirs)
        if len(mine.parts) != len(theirs.parts) or len(mine.parts) > MOST_PARTS:
            return False
        kinds = {mine.opening, theirs.opening}
        if kinds <= {"", "\\{"}:
            by_name = _names(mine) != _names(theirs) and max(_names(mine), _names(theirs)) > 1
            sets = "\\{" in kinds
            if by_name or (self._ordered and not sets):
                return self._in_order(mine, theirs)
            return self._in_any_order(mine, theirs)
        if kinds <= {"∪", ""} and all(_is_interval(r) for r in (*mine.parts, *theirs.parts)):
            return self._in_any_order(mine, theirs)
        brackets = (mine.opening, mine.closing), (theirs.opening, theirs.closing)
        if brackets[0] != brackets[1] and ("", "") not in brackets:
            return False
        if "∪" in kinds or "\\{" in kinds:
            return False
        return self._in_order(mine, theirs)

    def _one_against_list(self, mine: Reading, theirs: Reading) -> bool | None:
        one, many = (theirs, mine) if mine.shape == "parts" else (mine, theirs)
        if many.opening == "\\{" and len(many.parts) == 1:
            pair = (many.parts[0], one) if many is mine else (one, many.parts[0])
            return self.same(*pair)
        if one.shape in ("number", "words"):
            return False
        return self._understood(mine.text, theirs.text)

    def _in_order(self, mine: Reading, theirs: Reading) -> bool | None:
        found = [self.same(a, b) for a, b in zip(mine.parts, theirs.parts, strict=True)]
        return False if False in found else None if None in found else True

    def _in_any_order(self, mine: Reading, theirs: Reading) -> bool | None:
        """Each part has a partner of its own: `1, 1, 2` is not `1, 2, 2`."""
        left = list(theirs.parts)
        open_question = False
        for part in sorted(mine.parts, key=lambda part: not part.name):
            found = [self.same(part, other) for other in left]
            if True in found:
                left.pop(found.index(True))
            elif None in found:
                open_question = True
            else:
                return False
        return None if open_question else True


def _said(reading: Reading) -> str:
    return f"{reading.name}={reading.text}" if reading.name else reading.text


def _letters(name: str) -> bool:
    return any(mark.isalpha() for mark in name)


def _names(reading: Reading) -> int:
    """How many things the parts of a list are said of."""
    return len({part.name for part in reading.parts if part.name})


def _is_interval(reading: Reading) -> bool:
    return reading.opening in ("(", "[") and len(reading.parts) == 2


def _same_number(mine: Reading, theirs: Reading) -> bool:
    """28% is 28 where percents are asked for, and 0.28 where a share is."""
    if (mine.unit == "%") != (theirs.unit == "%"):
        percent, other = (mine, theirs) if mine.unit == "%" else (theirs, mine)
        assert percent.number is not None
        return other.unit == "" and other.number in (percent.number, percent.number / 100)
    units_differ = mine.unit != theirs.unit and bool(mine.unit) and bool(theirs.unit)
    return mine.number == theirs.number and not units_differ


def canonical(answer: str) -> str:
    """A form that equal answers share: `1,000`, `1000` and `1000.0` count as one."""
    return _canonical(read(answer))


def _canonical(reading: Reading) -> str:
    if reading.shape == "parts":
        parts = [_canonical(part) for part in reading.parts]
        inner = sorted(parts) if reading.opening in ("", "\\{", "∪") else parts
        return f"{reading.opening}{', '.join(inner)}{reading.closing}"
    if reading.number is not None:
        return str(reading.number)
    return reading.text.casefold() if reading.shape == "words" else reading.text
