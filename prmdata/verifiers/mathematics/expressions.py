"""An expression tree → its exact value.

Values are fractions; roots and π are carried to forty digits and marked as inexact. Exponents
and the size of every number are bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

PI = Fraction(31415926535897932384626433832795028841971, 10**40)
_DIGITS = 10**40
_WIDEST = 2000
"""Bits of the largest numerator or denominator."""


class Number(NamedTuple):
    value: Fraction
    places: int
    """Digits shown after the point; -1 where it is a fraction."""


class Name(NamedTuple):
    letter: str


class Apply(NamedTuple):
    operation: str
    """+ - * / ^ negate percent factorial root binomial mixed."""
    operands: tuple[Expression, ...]


Expression = Number | Name | Apply


class Reading(NamedTuple):
    """How to take what can be taken in two ways."""

    percent: bool = True
    """`20%` is a fifth, else twenty."""
    mixed: bool = True
    """`2\\frac{1}{2}` is two and a half, else one."""
    bang: bool = True
    """`5!` is a factorial, else an exclamation."""


class Unreadable(Exception):
    """These tokens are no arithmetic, or their value is out of bounds."""


class Value(NamedTuple):
    number: Fraction
    exact: bool = True


def evaluate(
    expression: Expression,
    known: Mapping[str, Fraction],
    reading: Reading = Reading(),  # noqa: B008
) -> Value:
    """Its value; raises `Unreadable` where a name is not known or a bound is passed."""
    evaluator = _Evaluator(known, reading)
    return Value(evaluator.value(expression), evaluator.exact)


class _Evaluator:
    def __init__(self, known: Mapping[str, Fraction], reading: Reading) -> None:
        self.known = known
        self.reading = reading
        self.exact = True

    def value(self, expression: Expression) -> Fraction:
        if isinstance(expression, Number):
            return expression.value
        if isinstance(expression, Name):
            if expression.letter not in self.known:
                raise Unreadable
            return self.known[expression.letter]
        result = self._apply(expression.operation, [self.value(e) for e in expression.operands])
        if max(result.numerator.bit_length(), result.denominator.bit_length()) > _WIDEST:
            raise Unreadable
        return result

    def _apply(self, operation: str, operands: list[Fraction]) -> Fraction:
        if operation == "pi":
            self.exact = False
            return PI
        first, second = operands[0], operands[-1]
        if operation == "+":
            return first + second
        if operation == "-":
            return first - second
        if operation == "*":
            return first * second
        if operation == "/":
            return _divided(first, second)
        return self._rarer(operation, first, second)

    def _rarer(self, operation: str, first: Fraction, second: Fraction) -> Fraction:
        if operation == "negate":
            return -first
        if operation == "percent":
            return first / 100 if self.reading.percent else first
        if operation == "mixed":
            return first + second if self.reading.mixed else first * second
        if operation == "^":
            return self._power(first, second)
        if operation == "root":
            return self._rooted(first, second)
        if operation == "binomial":
            return Fraction(math.comb(_count(first), _count(second)))
        if not self.reading.bang:
            return first
        return Fraction(math.factorial(_count(first)))

    def _power(self, base: Fraction, exponent: Fraction) -> Fraction:
        if exponent.denominator != 1:
            if exponent.denominator > 6 or abs(exponent.numerator) > 100:
                raise Unreadable
            base, exponent = (
                self._rooted(base, Fraction(exponent.denominator)),
                (Fraction(exponent.numerator)),
            )
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) * size > 2 * _WIDEST or (base == 0 and exponent <= 0):
            raise Unreadable
        return base**exponent.numerator

    def _rooted(self, base: Fraction, degree: Fraction) -> Fraction:
        """An exact root where there is one, else forty digits of it."""
        if degree.denominator != 1 or not 2 <= degree <= 6 or base < 0:
            raise Unreadable
        n = degree.numerator
        above, below = _integer_root(base.numerator, n), _integer_root(base.denominator, n)
        if above**n == base.numerator and below**n == base.denominator:
            return Fraction(above, below)
        self.exact = False
        return Fraction(_integer_root(base.numerator * _DIGITS**n // base.denominator, n), _DIGITS)


def _integer_root(number: int, degree: int) -> int:
    """The largest integer whose power is at most `number`, by Newton's method."""
    if degree == 2 or number < 2:
        return math.isqrt(number) if degree == 2 else number
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _divided(above: Fraction, below: Fraction) -> Fraction:
    if below == 0:
        raise Unreadable
    return above / below


def decimal_of(number: Fraction) -> str:
    """Six significant digits for a reader; no fraction is too large or too small for them."""
    above, below = abs(number.numerator), number.denominator
    if not above:
        return "0"
    if max(above.bit_length(), below.bit_length()) < 1000:
        return f"{float(number):.6g}"
    sign = "-" if number < 0 else ""
    digits = round((math.log2(above) - math.log2(below)) * math.log10(2))
    return f"{sign}10^{digits}" if digits else f"{sign}1"


def _count(number: Fraction) -> int:
    if number.denominator != 1 or not 0 <= number <= 150:
        raise Unreadable
    return number.numerator
