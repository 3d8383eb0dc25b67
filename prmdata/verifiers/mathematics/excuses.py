"""What an equality that does not hold may mean instead: a conversion, a share, a running sum."""

from __future__ import annotations

from prmdata.verifiers.mathematics.equalities import Equality
from prmdata.verifiers.mathematics.expressions import (
    Apply,
    Expression,
    Number,
    Unreadable,
    evaluate,
)
from prmdata.verifiers.mathematics.literals import has_operation, is_bare, is_same, literal_of
from prmdata.verifiers.mathematics.sides import Side
from prmdata.verifiers.mathematics.vocabulary import SCALES


def may_mean_otherwise(equality: Equality) -> bool:
    """Whether the two sides may not be what is compared."""
    left, right = equality.left, equality.right
    sides = left.parsed, right.parsed
    if left.may_be_part or right.may_be_part or any(side.doubtful for side in sides):
        return True
    bare = is_bare(sides[0].expression) and is_bare(sides[1].expression)
    if bare and (equality.first or units_differ(equality)):
        return True
    if _states_a_share(sides[0].expression, sides[1].expression):
        return True
    alone = is_bare(sides[0].expression) and (left.after_word or bool(left.units))
    one, two = (side.expression for side in sides)
    if alone or _mixes_percent(one, two) or _mixes_percent(two, one):
        return True
    return _converts(left, right) or _runs_on(equality) or _is_range(equality)


def units_differ(equality: Equality) -> bool:
    return equality.left.units != equality.right.units


def _states_a_share(one: Expression, other: Expression) -> bool:
    """`30% = 60`, `the other 2/3 = 40`: what a share comes to; `15% = 0.51` is of one number."""
    for share, whole in ((one, other), (other, one)):
        literal = literal_of(whole)
        if _is_share(share) and is_bare(whole) and literal and abs(literal.value) > 1:
            return True
    return False


def _is_share(expression: Expression) -> bool:
    """`30%`, `2/3`: of numbers alone, and at most one."""
    if not isinstance(expression, Apply):
        return isinstance(expression, Number) and expression.places < 0
    if expression.operation == "percent":
        return literal_of(expression) is not None
    if expression.operation != "/":
        return False
    above, below = (literal_of(operand) for operand in expression.operands)
    return above is not None and below is not None and 0 < above.value <= below.value


def _is_range(equality: Equality) -> bool:
    """`pages 12-20 = 9 pages`, `children (3-12) = $5`: from one number to another."""
    left, right = equality.left, equality.right
    expression = left.parsed.expression
    if not isinstance(expression, Apply) or expression.operation != "-":
        return False
    first, last = (literal_of(operand) for operand in expression.operands)
    if first is None or last is None:
        return False
    result = literal_of(right.parsed.expression)
    if result is not None and "hour" in right.units:  # 8-5 = 9 hours, by the clock
        return (last.value - first.value) % 12 == result.value
    if not first.value < last.value:
        return False
    return left.after_word or bool(right.units)


def _converts(left: Side, right: Side) -> bool:
    """Units of one kind differ: hours and minutes, dollars and cents, boxes and pencils."""
    scales = {SCALES[unit]: set[str]() for unit in left.units | right.units if unit in SCALES}
    for unit in left.units | right.units:
        if unit in SCALES:
            scales[SCALES[unit]].add(unit)
    if any(len(units) > 1 for units in scales.values()):
        return True
    if len(left.units) > 1 and has_operation(left.parsed.expression, ("+", "-")):
        return True
    return bool(left.units and right.units) and not left.units & right.units


def _mixes_percent(expression: Expression, other: Expression) -> bool:
    """`50 - 20%` takes off a fifth of fifty, to some."""
    sums, shares = has_operation(expression, ("+", "-")), has_operation(expression, ("percent",))
    return sums and shares and (_has_plain(expression) or not has_operation(other, ("percent",)))


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
        return is_same(evaluate(expression.operands[1], {}), evaluate(result, {}))
    except Unreadable:
        return False


def _leads(equality: Equality) -> bool:
    first = equality.right.parsed.expression
    while isinstance(first, Apply) and first.operation in ("+", "-", "*", "/"):
        first = first.operands[0]
    try:
        reached = evaluate(equality.left.parsed.expression, {})
        return is_same(reached, evaluate(first, {}))
    except Unreadable:
        return True
