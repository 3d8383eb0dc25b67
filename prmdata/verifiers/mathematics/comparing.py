"""An equality → right, wrong, or nothing where it is true in one reading of several."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from prmdata.verifiers.mathematics.equalities import Equality, Side
from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Number,
    Reading,
    Unreadable,
    Value,
    decimal_of,
    evaluate,
)
from prmdata.verifiers.mathematics.vocabulary import SCALES

_READINGS = (
    Reading(),
    Reading(percent=False),
    Reading(mixed=False),
    Reading(bang=False),
    Reading(mixed=False, bang=False),
)
_SAME = Fraction(1, 10**25)


Outcome = Literal["right", "wrong", "excused"]


class Comparison(NamedTuple):
    outcome: Outcome
    """`excused`: it does not hold as it is read, and may be meant in another way."""
    expected: str = ""


_EXCUSED = Comparison("excused")
_RIGHT = Comparison("right")


def compare(
    equality: Equality, known: Mapping[str, Fraction], loosest: float, wholes: bool
) -> Comparison | None:
    """Whether the equality holds; `None` where there is nothing to work out."""
    left, right = equality.left.parsed.expression, equality.right.parsed.expression
    try:
        a, b = evaluate(left, known), evaluate(right, known)
    except Unreadable:
        return None
    if _equal(a, b):
        return None if _is_bare(left) and _is_bare(right) and _units(equality) else _RIGHT
    if _shown(right, a, b) or _shown(left, b, a) or _agrees(left, right, known):
        return _RIGHT
    if _doubtful(equality) or _is_close(equality, known, loosest, wholes):
        return _EXCUSED
    if any(_agrees(other, right, known) for other in equality.others):
        return _EXCUSED
    return Comparison("wrong", _told(b if _is_bare(left) and not _is_bare(right) else a))


def _is_close(
    equality: Equality, known: Mapping[str, Fraction], loosest: float, wholes: bool
) -> bool:
    """Whether it may be an approximation, with percentages taken as shares or as numbers."""
    left, right = equality.left.parsed.expression, equality.right.parsed.expression
    for reading in (Reading(), Reading(percent=False)):
        with contextlib.suppress(Unreadable):
            a, b = evaluate(left, known, reading), evaluate(right, known, reading)
            if _close(equality, a, b, loosest, wholes, reading.percent):
                return True
    return False


def _equal(a: Value, b: Value) -> bool:
    if a.exact and b.exact:
        return a.number == b.number
    return abs(a.number - b.number) <= _SAME * (abs(a.number) + 1)


def _literal(expression: Expression) -> Number | None:
    """The number a side consists of, whatever its sign, or its sign of a percentage."""
    if isinstance(expression, Apply) and expression.operation in ("negate", "percent"):
        return _literal(expression.operands[0])
    return expression if isinstance(expression, Number) else None


def _is_bare(expression: Expression) -> bool:
    """Whether it is a number alone; `20%` is a sum of one."""
    while isinstance(expression, Apply) and expression.operation == "negate":
        expression = expression.operands[0]
    return isinstance(expression, Number)


def _places(expression: Expression, percent: bool = True) -> int | None:
    """Digits after the point that a side shows; of a percentage taken as a share, two more."""
    if isinstance(expression, Apply) and expression.operation == "percent":
        inner = _literal(expression.operands[0])
        more = 2 if percent else 0
        return None if inner is None or inner.places < 0 else inner.places + more
    literal = _literal(expression)
    return None if literal is None or literal.places < 0 else literal.places


def _shown(side: Expression, exact: Value, shown: Value, percent: bool = True) -> bool:
    """Whether a decimal is the other side's value, rounded to its digits."""
    places = _places(side, percent)
    if not places or shown.number == 0:
        return False
    return abs(exact.number - shown.number) <= Fraction(1, 2 * 10**places)


def _units(equality: Equality) -> bool:
    return equality.left.units != equality.right.units


def _doubtful(equality: Equality) -> bool:
    """Whether the two sides may not be what is compared."""
    left, right = equality.left, equality.right
    sides = left.parsed, right.parsed
    if left.cut or right.cut or any(side.doubtful for side in sides):
        return True
    bare = _is_bare(sides[0].expression) and _is_bare(sides[1].expression)
    if bare and (equality.first or _units(equality)):
        return True
    if _states_a_share(sides[0].expression, sides[1].expression):
        return True
    alone = _is_bare(sides[0].expression) and (left.told or bool(left.units))
    one, two = (side.expression for side in sides)
    if alone or _mixes_percent(one, two) or _mixes_percent(two, one):
        return True
    return _converts(left, right) or _runs_on(equality) or _is_range(equality)


def _is_range(equality: Equality) -> bool:
    """`pages 12-20 = 9 pages`, `children (3-12) = $5`: from one number to another."""
    left, right = equality.left, equality.right
    expression = left.parsed.expression
    if not isinstance(expression, Apply) or expression.operation != "-":
        return False
    first, last = (_literal(operand) for operand in expression.operands)
    if first is None or last is None or not first.value < last.value:
        return False
    return left.told or bool(right.units)


def _states_a_share(one: Expression, other: Expression) -> bool:
    """`30% = 60`, `the other 2/3 = 40`: what a share comes to; `15% = 0.51` is of one number."""
    for share, whole in ((one, other), (other, one)):
        literal = _literal(whole)
        if _is_share(share) and _is_bare(whole) and literal and abs(literal.value) > 1:
            return True
    return False


def _is_share(expression: Expression) -> bool:
    """`30%`, `2/3`: of numbers alone, and at most one."""
    if not isinstance(expression, Apply):
        return isinstance(expression, Number) and expression.places < 0
    if expression.operation == "percent":
        return _literal(expression) is not None
    if expression.operation != "/":
        return False
    above, below = (_literal(operand) for operand in expression.operands)
    return above is not None and below is not None and 0 < above.value <= below.value


def _converts(left: Side, right: Side) -> bool:
    """Units of one kind differ: hours and minutes, dollars and cents, boxes and pencils."""
    scales = {SCALES[unit]: set[str]() for unit in left.units | right.units if unit in SCALES}
    for unit in left.units | right.units:
        if unit in SCALES:
            scales[SCALES[unit]].add(unit)
    if any(len(units) > 1 for units in scales.values()):
        return True
    if len(left.units) > 1 and _has(left.parsed.expression, ("+", "-")):
        return True
    return bool(left.units and right.units) and not left.units & right.units


def _has(expression: Expression, operations: tuple[str, ...]) -> bool:
    return isinstance(expression, Apply) and (
        expression.operation in operations
        or any(_has(operand, operations) for operand in expression.operands)
    )


def _mixes_percent(expression: Expression, other: Expression) -> bool:
    """`50 - 20%` takes off a fifth of fifty, to some."""
    sums, shares = _has(expression, ("+", "-")), _has(expression, ("percent",))
    return sums and shares and (_has_plain(expression) or not _has(other, ("percent",)))


def _has_plain(expression: Expression) -> bool:
    """Whether some number in it is no percentage."""
    if isinstance(expression, Apply):
        return expression.operation != "percent" and any(map(_has_plain, expression.operands))
    return True


def _runs_on(equality: Equality) -> bool:
    """`5 + 3 = 8 * 2 = 16` goes on with the result it has reached, or with the next sum."""
    expression = equality.right.parsed.expression
    if isinstance(expression, Apply):
        return not (equality.last and equality.right.bracketed) and _leads(equality)
    return not equality.first and _ends_in(equality.left.parsed.expression, expression)


def _ends_in(expression: Expression, result: Expression) -> bool:
    """`2 * 8 = 16 + 4 * 3 = 12`: the last term alone has that result."""
    if not isinstance(expression, Apply) or expression.operation not in ("+", "-"):
        return False
    try:
        return _equal(evaluate(expression.operands[1], {}), evaluate(result, {}))
    except Unreadable:
        return False


def _leads(equality: Equality) -> bool:
    first = equality.right.parsed.expression
    while isinstance(first, Apply) and first.operation in ("+", "-", "*", "/"):
        first = first.operands[0]
    try:
        reached = evaluate(equality.left.parsed.expression, {})
        return _equal(reached, evaluate(first, {}))
    except Unreadable:
        return True


def _close(
    equality: Equality, a: Value, b: Value, loosest: float, wholes: bool, percent: bool
) -> bool:
    """Whether it may be an approximation: cut off, to a whole, or of values rounded before."""
    left, right = equality.left.parsed.expression, equality.right.parsed.expression
    gap = abs(a.number - b.number)
    scale = max(abs(a.number), abs(b.number))
    if equality.near:
        wholes = True
        if gap <= scale * Fraction(loosest):
            return True
    wholes = wholes or _counts_whole_ones(equality)
    up = "dollar" in equality.left.units | equality.right.units  # a cent more each covers the sum
    if _cut_off(right, a, b, wholes, percent, up) or _cut_off(left, b, a, wholes, percent, up):
        return True
    inexact = not (a.exact and b.exact)
    return (inexact and gap * 100 <= scale) or gap <= _rounded_before(left, right, a)


_DIVISIBLE = frozenset(("dollar", "cent", "euro", "pound"))
"""Units of which a fraction is as good as a whole."""


def _counts_whole_ones(equality: Equality) -> bool:
    """`36/5 = 7 pens`, `17/5 = 3 (remainder 2)`: things that come whole, or are said to."""
    if not any(_has(side.parsed.expression, ("/",)) for side in (equality.left, equality.right)):
        return False
    return equality.whole or bool(equality.right.units - _DIVISIBLE)


def _rounded_before(left: Expression, right: Expression, a: Value) -> Fraction:
    """How far off the result is where the decimals that go into it were rounded themselves."""
    fine, places = _finest(left), _places(right)
    if fine < 2 or places is None or not (_has(left, ("*", "/")) or places < fine):
        return Fraction(-1)
    shares = (abs(Fraction(1, 2 * 10**n.places) / n.value) for n in _inputs(left) if n.value)
    return abs(a.number) * sum(shares, Fraction(0)) + Fraction(1, 2 * 10**places)


_THIRDS = frozenset(map(Fraction, (33, 66, 67, 17, 83)))
"""Percentages that stand for thirds and sixths."""


def _inputs(expression: Expression) -> Iterator[Number]:
    """The numbers in it that look rounded: 0.67, 3.33, 33%; not 0.05, 0.75 or 12.50."""
    if isinstance(expression, Apply) and expression.operation == "percent":
        inner = _literal(expression.operands[0])
        if inner is not None and (inner.value in _THIRDS or inner.places > 0):
            yield Number(inner.value / 100, inner.places + 2)
    elif isinstance(expression, Apply):
        for operand in expression.operands:
            yield from _inputs(operand)
    elif isinstance(expression, Number) and expression.places > 1 and _looks_rounded(expression):
        yield expression


def _looks_rounded(number: Number) -> bool:
    return number.value * 10 >= 1 and (number.value * 20).denominator != 1


def _cut_off(
    side: Expression, exact: Value, shown: Value, wholes: bool, percent: bool, up: bool
) -> bool:
    """Whether a decimal is the other side's value cut short, or a whole number next to it."""
    places = _places(side, percent)
    if places is None or exact.number.denominator == 1:
        return False
    gap = exact.number - shown.number
    if places == 0:
        return wholes and abs(gap) < 1
    toward_zero = gap > 0 if exact.number > 0 else gap < 0
    return (toward_zero or (up and places == 2)) and abs(gap) < Fraction(1, 10**places)


def _finest(expression: Expression) -> int:
    """The most digits after the point of any number in it; of a percentage, two more."""
    if isinstance(expression, Apply) and expression.operation == "percent":
        return _places(expression) or 0
    if isinstance(expression, Apply):
        return max((_finest(operand) for operand in expression.operands), default=0)
    return max(expression.places, 0) if isinstance(expression, Number) else 0


def _decimals(number: Fraction) -> int:
    """Digits after the point that it takes; 99 where they do not end."""
    return next((d for d in range(12) if (number * 10**d).denominator == 1), 99)


def _agrees(left: Expression, right: Expression, known: Mapping[str, Fraction]) -> bool:
    """Whether the two are equal in some reading of each: `5 / 20 * 100 = 25%`."""
    if any(_agrees(left, part, known) for part in _share_alone(right)):
        return True
    values = list(_values(right, known))
    return any(
        _equal(value, other) or _shown(right, value, other, percent)
        for value, _ in _values(left, known)
        for other, percent in values
    )


def _share_alone(expression: Expression) -> Iterator[Expression]:
    """`150/200 = 75% of 200`: the share that stands before `of`."""
    if isinstance(expression, Apply) and expression.operation == "*":
        share = expression.operands[0]
        if isinstance(share, Apply) and share.operation == "percent":
            yield share


def _values(expression: Expression, known: Mapping[str, Fraction]) -> Iterator[tuple[Value, bool]]:
    """Its value in each reading that gives one, and whether that takes percentages as shares."""
    for reading in _READINGS:
        with contextlib.suppress(Unreadable):
            yield evaluate(expression, known, reading), reading.percent


def _told(value: Value) -> str:
    """A value for a reader: whole, as a short decimal, or as a fraction."""
    number = value.number
    if _decimals(number) <= 4:
        places = _decimals(number)
        digits = str((abs(number) * 10**places).numerator).zfill(places + 1)
        text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        whole = ("-" if number < 0 else "") + text
        return whole if len(whole) <= 60 else f"about {decimal_of(number)}"
    if not value.exact or number.denominator > 1000:
        return f"about {decimal_of(number)}"
    text = f"{number.numerator}/{number.denominator}"
    return text if len(text) <= 60 else f"about {decimal_of(number)}"
