"""Numbers that stand alone, and what an expression is made of."""

from __future__ import annotations

from fractions import Fraction

from prmdata.verifiers.mathematics.expressions import Apply, Expression, Number, Value

_SAME = Fraction(1, 10**25)


def is_same(a: Value, b: Value) -> bool:
    if a.exact and b.exact:
        return a.number == b.number
    return abs(a.number - b.number) <= _SAME * (abs(a.number) + 1)


def literal_of(expression: Expression) -> Number | None:
    """The number a side consists of, whatever its sign, or its sign of a percentage."""
    if isinstance(expression, Apply) and expression.operation in ("negate", "percent"):
        return literal_of(expression.operands[0])
    return expression if isinstance(expression, Number) else None


def is_bare(expression: Expression) -> bool:
    """Whether it is a number alone; `20%` is a sum of one."""
    while isinstance(expression, Apply) and expression.operation == "negate":
        expression = expression.operands[0]
    return isinstance(expression, Number)


def places_of(expression: Expression, percent: bool = True) -> int | None:
    """Digits after the point that a side shows; of a percentage taken as a share, two more."""
    if isinstance(expression, Apply) and expression.operation == "percent":
        inner = literal_of(expression.operands[0])
        more = 2 if percent else 0
        return None if inner is None or inner.places < 0 else inner.places + more
    literal = literal_of(expression)
    return None if literal is None or literal.places < 0 else literal.places


def has_operation(expression: Expression, operations: tuple[str, ...]) -> bool:
    return isinstance(expression, Apply) and (
        expression.operation in operations
        or any(has_operation(operand, operations) for operand in expression.operands)
    )
