"""A calculator: one expression in, its value out.

Numbers, + - * / // % ** and brackets. Decimals are exact; a quotient that has no end is given with
twelve digits.
"""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from prmdata.environments.contract import Environment, Reply, Tool, calls_in, function, results
from prmdata.records import Message, Problem

LONGEST = 400
"""Characters of an expression."""
LARGEST_BITS = 4096
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True, slots=True)
class Calculator:
    """Take it where a model should work out numbers instead of guessing them."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        yield _Open()


class _Open:
    identity = "calculator-1"
    speaks = replays = False
    _tools = (
        function(
            "calculator",
            "Works out an arithmetic expression, such as 12 * (3 + 4.5).",
            expression={"type": "string", "description": "Numbers, + - * / // % ** and brackets."},
        ),
    )

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        del problem
        return self._tools

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        del problem
        return chat[-1].get("tool_calls")

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        del seed
        calls = calls_in(chat[-1], self._tools)
        return Reply(
            results([(c, f"error: {c.fault}" if c.fault else value_of(c.arguments)) for c in calls])
        )


def value_of(arguments: Any) -> str:
    expression = str(arguments["expression"])
    try:
        return _shown(_value(ast.parse(_plain(expression), mode="eval").body))
    except ZeroDivisionError:
        return "error: division by zero"
    except (ValueError, ArithmeticError, SyntaxError, RecursionError, MemoryError) as error:
        return f"error: {str(error)[:200] or type(error).__name__}"


def _plain(expression: str) -> str:
    if len(expression) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters")
    for sign, plain in (("×", "*"), ("÷", "/"), ("−", "-"), ("^", "**")):
        expression = expression.replace(sign, plain)
    return expression.strip()


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
            return _bounded(Fraction(OPERATORS[type(op)](_value(left), _value(right))))
    raise ValueError("only numbers, + - * / // % ** and brackets are understood")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ValueError("an exponent must be a whole number")
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent.numerator) * size > LARGEST_BITS:
        raise ValueError("the value is too large")
    return Fraction(base**exponent.numerator)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise ValueError("the value is too large")
    return value


def _shown(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        places = 0
        while (value * 10**places).denominator != 1:
            places += 1
        if places <= 30:
            digits = str(abs((value * 10**places).numerator)).zfill(places + 1)
            return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return f"{float(value):.12g}"
