"""An expression of whole numbers → its value, and the single calculations it is made of."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

LONGEST = 200
LARGEST = 10**30
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


@dataclass(frozen=True, slots=True)
class Calculation:
    op: str
    a: Fraction
    b: Fraction


@dataclass(frozen=True, slots=True)
class Expression:
    value: Fraction
    calculations: tuple[Calculation, ...]
    """In the order in which they are done."""


def read(text: str) -> Expression | str:
    """The expression, or why it is none."""
    if len(text) > LONGEST:
        return f"the expression is longer than {LONGEST} characters"
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except ZeroDivisionError:
        return "division by zero"
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return "only whole numbers, + - * / and brackets are understood"


def _read(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=int() as number) if type(number) is int and number < LARGEST:
            return Expression(Fraction(number), ())
        case ast.BinOp(op=op, left=left, right=right) if type(op) in SIGNS:
            first, second, sign = _read(left), _read(right), SIGNS[type(op)]
            value = OPERATIONS[sign](first.value, second.value)
            if max(abs(value.numerator), value.denominator) > LARGEST:
                raise ValueError("too large")
            own = Calculation(sign, first.value, second.value)
            return Expression(value, (*first.calculations, *second.calculations, own))
    raise ValueError("unknown")


def shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.12g}"
