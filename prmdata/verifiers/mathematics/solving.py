"""Equations in one unknown, and whether what is found for it solves them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from prmdata.verifiers.mathematics.equalities import Equality
from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Name,
    Number,
    Unreadable,
    Value,
    decimal_of,
    evaluate,
)
from prmdata.verifiers.mathematics.polynomials import difference, letters_of, polynomial_of

_SAME = Fraction(1, 10**20)


@dataclass(frozen=True, slots=True)
class Equation:
    letter: str
    left: Expression
    right: Expression
    words: str
    doubtful: bool = False
    """It is one way of several to read what is said, or holds on a condition."""

    def holds(self, root: Value) -> bool | None:
        """Whether both sides are equal there; `None` where one has no value."""
        gap = self._gap(root.number)
        if gap is None or (gap and not root.exact and abs(gap) < Fraction(1, 100)):
            return None if gap is None or abs(gap) > _SAME else True
        return gap == 0

    def roughly(self, root: Value, off: Fraction) -> bool:
        """Whether a solution may lie within `off` of it."""
        ends = self._gap(root.number - off), self._gap(root.number + off)
        return None in ends or (ends[0] or 0) * (ends[1] or 0) <= 0

    def at(self, root: Value) -> str:
        """Both sides with the root in the place of the letter: `3x + 5 = 20 becomes 17 = 20`."""
        known = {self.letter: root.number}
        sides = [evaluate(side, known).number for side in (self.left, self.right)]
        return f"{self.words} becomes {_short(sides[0])} = {_short(sides[1])}"

    def _gap(self, number: Fraction) -> Fraction | None:
        try:
            known = {self.letter: number}
            left, right = evaluate(self.left, known), evaluate(self.right, known)
        except Unreadable:
            return None
        gap = left.number - right.number
        inexact = not (left.exact and right.exact)
        return Fraction(0) if inexact and abs(gap) <= _SAME else gap


def equation_of(equality: Equality, words: str) -> Equation | None:
    """The equation in one unknown that it is."""
    left, right = equality.left.parsed.expression, equality.right.parsed.expression
    letters = letters_of(left) | letters_of(right)
    if len(letters) != 1:
        return None
    return Equation(next(iter(letters)), left, right, words)


def is_posed(equation: Equation) -> bool:
    """Whether there is something to solve: not `x = 4`."""
    return not any(
        isinstance(one, Name) and not letters_of(other)
        for one, other in ((equation.left, equation.right), (equation.right, equation.left))
    )


def root_of(equation: Equation) -> Value | None:
    """The one solution of a linear equation, or of `x = √2`."""
    try:
        if isinstance(equation.left, Name) and not letters_of(equation.right):
            return evaluate(equation.right, {})
        rest = difference(polynomial_of(equation.left), polynomial_of(equation.right))
    except Unreadable:
        return None
    linear = ((equation.letter, 1),)
    if set(rest) - {()} != {linear}:
        return None
    return Value(-rest.get((), Fraction(0)) / rest[linear])


def precision(expression: Expression) -> Fraction:
    """How far from the number that a decimal shows the number meant may be."""
    places = 0
    while isinstance(expression, Apply) and expression.operation == "negate":
        expression = expression.operands[0]
    if isinstance(expression, Number):
        places = max(expression.places, 0)
    return Fraction(1, 10**places) if places else Fraction(0)


def _short(number: Fraction) -> str:
    text = str(number)
    return text if len(text) <= 12 else decimal_of(number)
