"""Whether a number is the other side's value rounded, cut short, or worked out of rounded ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction

from prmdata.verifiers.mathematics.equalities import Equality
from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Number,
    Reading,
    Unreadable,
    Value,
    evaluate,
)
from prmdata.verifiers.mathematics.literals import has_operation, literal_of, places_of

_THIRDS = frozenset(map(Fraction, (33, 66, 67, 17, 83)))
"""Percentages that stand for thirds and sixths."""
_DIVISIBLE = frozenset(("dollar", "cent", "euro", "pound"))
"""Units of which a fraction is as good as a whole."""


def is_shown(side: Expression, exact: Value, shown: Value, percent: bool = True) -> bool:
    """Whether a decimal is the other side's value, rounded to its digits."""
    places = places_of(side, percent)
    if not places or shown.number == 0:
        return False
    return abs(exact.number - shown.number) <= Fraction(1, 2 * 10**places)


def is_close(
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


def _counts_whole_ones(equality: Equality) -> bool:
    """`36/5 = 7 pens`, `17/5 = 3 (remainder 2)`: things that come whole, or are said to."""
    if not any(
        has_operation(side.parsed.expression, ("/",)) for side in (equality.left, equality.right)
    ):
        return False
    return equality.whole or bool(equality.right.units - _DIVISIBLE)


def _rounded_before(left: Expression, right: Expression, a: Value) -> Fraction:
    """How far off the result is where the decimals that go into it were rounded themselves."""
    fine, places = _finest(left), places_of(right)
    if fine < 2 or places is None or not (has_operation(left, ("*", "/")) or places < fine):
        return Fraction(-1)
    shares = (abs(Fraction(1, 2 * 10**n.places) / n.value) for n in _inputs(left) if n.value)
    return abs(a.number) * sum(shares, Fraction(0)) + Fraction(1, 2 * 10**places)


def _inputs(expression: Expression) -> Iterator[Number]:
    """The numbers in it that look rounded: 0.67, 3.33, 33%; not 0.05, 0.75 or 12.50."""
    if isinstance(expression, Apply) and expression.operation == "percent":
        inner = literal_of(expression.operands[0])
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
    places = places_of(side, percent)
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
        return places_of(expression) or 0
    if isinstance(expression, Apply):
        return max((_finest(operand) for operand in expression.operands), default=0)
    return max(expression.places, 0) if isinstance(expression, Number) else 0
