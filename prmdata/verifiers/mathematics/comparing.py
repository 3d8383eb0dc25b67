"""An equality → right, wrong, or excused where it may be meant in another way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from prmdata.verifiers.mathematics.equalities import Equality
from prmdata.verifiers.mathematics.excuses import may_mean_otherwise, units_differ
from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Reading,
    Unreadable,
    Value,
    decimal_of,
    evaluate,
)
from prmdata.verifiers.mathematics.literals import is_bare, is_same
from prmdata.verifiers.mathematics.rounding import is_close, is_shown

_READINGS = (
    Reading(),
    Reading(percent=False),
    Reading(mixed=False),
    Reading(bang=False),
    Reading(mixed=False, bang=False),
)
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
    if is_same(a, b):
        return None if is_bare(left) and is_bare(right) and units_differ(equality) else _RIGHT
    if is_shown(right, a, b) or is_shown(left, b, a) or _agrees(left, right, known):
        return _RIGHT
    if may_mean_otherwise(equality) or is_close(equality, known, loosest, wholes):
        return _EXCUSED
    if any(_agrees(other, right, known) for other in equality.others):
        return _EXCUSED
    return Comparison("wrong", _written(b if is_bare(left) and not is_bare(right) else a))


def _agrees(left: Expression, right: Expression, known: Mapping[str, Fraction]) -> bool:
    """Whether the two are equal in some reading of each: `5 / 20 * 100 = 25%`."""
    if any(_agrees(left, part, known) for part in _share_alone(right)):
        return True
    values = list(_values(right, known))
    return any(
        is_same(value, other) or is_shown(right, value, other, percent)
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


def _written(value: Value) -> str:
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


def _decimals(number: Fraction) -> int:
    """Digits after the point that it takes; 99 where they do not end."""
    return next((d for d in range(12) if (number * 10**d).denominator == 1), 99)
