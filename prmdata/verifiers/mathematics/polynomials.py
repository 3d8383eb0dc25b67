"""An expression tree → the polynomial it is, in its letters; bounded in terms and degree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Name,
    Number,
    Unreadable,
    evaluate,
)

Monomial = tuple[tuple[str, int], ...]
"""Letters with their powers, in the order of the letters; () for the constant."""
Polynomial = Mapping[Monomial, Fraction]

_MOST_TERMS = 400
_MOST_WORK = 4000
_HIGHEST = 24
_WIDEST = 1000
"""Bits of the largest coefficient."""


def letters_of(expression: Expression) -> frozenset[str]:
    if isinstance(expression, Name):
        return frozenset(expression.letter)
    if isinstance(expression, Apply):
        return frozenset().union(*map(letters_of, expression.operands))
    return frozenset()


def operations_of(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Apply):
        yield expression.operation
        for operand in expression.operands:
            yield from operations_of(operand)


@lru_cache(maxsize=512)
def polynomial_of(expression: Expression) -> Polynomial:
    """Raises `Unreadable` where it is none, or passes a bound."""
    if _most_terms(expression) > _MOST_TERMS:
        raise Unreadable
    return _expanded(expression)


def _most_terms(expression: Expression) -> int:
    """How many terms it may have: known before any is worked out."""
    if not isinstance(expression, Apply) or not expression.operands:
        return 1
    first, second = _most_terms(expression.operands[0]), _most_terms(expression.operands[-1])
    if expression.operation in ("+", "-"):
        return first + second
    if expression.operation == "*":
        return first * second
    power = expression.operands[-1]
    if expression.operation == "^" and first > 1:
        times = power.value if isinstance(power, Number) else Fraction(-1)
        if times.denominator != 1 or not 0 <= times <= _HIGHEST or first > _MOST_TERMS:
            raise Unreadable
        return math.comb(first + times.numerator - 1, times.numerator)
    return first


def _expanded(expression: Expression) -> dict[Monomial, Fraction]:
    if isinstance(expression, Number):
        return _bounded({(): expression.value})
    if isinstance(expression, Name):
        return {((expression.letter, 1),): Fraction(1)}
    operation, operands = expression.operation, expression.operands
    if operation == "pi":
        return {(("π", 1),): Fraction(1)}
    if not letters_of(expression) and "pi" not in operations_of(expression):
        value = evaluate(expression, {})
        if not value.exact:
            raise Unreadable
        return _bounded({(): value.number})
    first = _expanded(operands[0])
    if operation == "negate":
        return scaled(first, Fraction(-1))
    if operation == "^":
        return _power(first, operands[1])
    if operation not in ("+", "-", "*", "/"):
        raise Unreadable
    second = _expanded(operands[1])
    if operation == "*":
        return product(first, second)
    if operation == "/":
        return scaled(first, 1 / _constant(second))
    return difference(first, second if operation == "-" else scaled(second, Fraction(-1)))


def ratio_of(expression: Expression) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of what is a fraction of polynomials."""
    whole: Polynomial = {(): Fraction(1)}
    if not isinstance(expression, Apply) or "/" not in operations_of(expression):
        return polynomial_of(expression), whole
    operation, operands = expression.operation, expression.operands
    above, below = ratio_of(operands[0])
    if operation == "negate":
        return scaled(above, Fraction(-1)), below
    if operation == "^":
        return _power(above, operands[1]), _power(below, operands[1])
    if operation not in ("+", "-", "*", "/"):
        raise Unreadable
    other, under = ratio_of(operands[1])
    if operation == "/":
        other, under = under, other
    if operation in ("*", "/"):
        above, below = product(above, other), product(below, under)
    else:
        other = other if operation == "-" else scaled(other, Fraction(-1))
        if below == under:
            above = difference(above, other)
        else:
            above = difference(product(above, under), product(other, below))
            below = product(below, under)
    if set(below) == {()}:
        return scaled(above, 1 / below[()]), whole
    if not below:
        raise Unreadable
    return above, below


def difference(one: Polynomial, other: Polynomial) -> dict[Monomial, Fraction]:
    made = dict(one)
    for monomial, factor in other.items():
        made[monomial] = made.get(monomial, Fraction(0)) - factor
    return _bounded(made)


def scaled(polynomial: Polynomial, by: Fraction) -> dict[Monomial, Fraction]:
    return _bounded({monomial: factor * by for monomial, factor in polynomial.items()})


def is_simplified(expression: Expression) -> bool:
    """Whether it is a sum of as many terms as it has when it is expanded."""
    try:
        terms = len(polynomial_of(expression))
    except Unreadable:
        return False
    return not has_product(expression) and terms == _terms(expression)


def _terms(expression: Expression) -> int:
    if not isinstance(expression, Apply):
        return 1
    if expression.operation in ("+", "-", "negate"):
        return sum(map(_terms, expression.operands))
    return 1 + sum(_terms(o) - 1 for o in expression.operands)


def has_product(expression: Expression) -> bool:
    if not isinstance(expression, Apply):
        return False
    if expression.operation in ("*", "^") and letters_of(expression):
        return any({"+", "-"} & {*operations_of(o)} for o in expression.operands)
    return any(map(has_product, expression.operands))


def degree(monomial: Monomial) -> int:
    return sum(power for _, power in monomial)


def degrees(polynomial: Polynomial) -> int:
    return max(map(degree, polynomial), default=0)


def shown(polynomial: Polynomial) -> str:
    """`x^2 + 2xy - 3`, the highest powers first."""
    parts = []
    for monomial in sorted(polynomial, key=_in_print):
        factor = polynomial[monomial]
        letters = "".join(name if n == 1 else f"{name}^{n}" for name, n in monomial)
        size = abs(factor)
        number = "" if size == 1 and letters else str(size)
        number = f"({number})" if "/" in number and letters else number
        sign = "-" if factor < 0 else "+"
        parts += [sign, number + letters]
    if not parts:
        return "0"
    return " ".join(parts[1:] if parts[0] == "+" else [f"-{parts[1]}", *parts[2:]])[:120]


def _in_print(monomial: Monomial) -> tuple[int, list[tuple[str, int]]]:
    """a^2 before ab before b^2."""
    return -degree(monomial), [(letter, -power) for letter, power in monomial]


def _bounded(polynomial: Polynomial) -> dict[Monomial, Fraction]:
    terms = {monomial: factor for monomial, factor in polynomial.items() if factor}
    if len(terms) > _MOST_TERMS or any(degree(monomial) > _HIGHEST for monomial in terms):
        raise Unreadable
    for factor in terms.values():
        if max(factor.numerator.bit_length(), factor.denominator.bit_length()) > _WIDEST:
            raise Unreadable
    return terms


def product(one: Polynomial, other: Polynomial) -> dict[Monomial, Fraction]:
    if len(one) * len(other) > _MOST_WORK:
        raise Unreadable
    made: dict[Monomial, Fraction] = {}
    for first, by in one.items():
        for second, factor in other.items():
            powers = dict(first)
            for letter, power in second:
                powers[letter] = powers.get(letter, 0) + power
            monomial = tuple(sorted(powers.items()))
            made[monomial] = made.get(monomial, Fraction(0)) + by * factor
    return _bounded(made)


def _power(base: Polynomial, exponent: Expression) -> dict[Monomial, Fraction]:
    times = _constant(_expanded(exponent))
    if times.denominator != 1 or not 0 <= times <= _HIGHEST:
        raise Unreadable
    made: dict[Monomial, Fraction] = {(): Fraction(1)}
    for _ in range(times.numerator):
        made = product(made, base)
    return made


def _constant(polynomial: Polynomial) -> Fraction:
    """Zero is refused too: nothing is divided by it, and powers of it say nothing."""
    if set(polynomial) != {()}:
        raise Unreadable
    return polynomial[()]
