"""A program → programs that differ from it in one small thing on one line."""

from __future__ import annotations

import ast
import contextlib
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.FloorDiv, ast.Mult),
    ast.FloorDiv: (ast.Div, ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
_DROPPED = (ast.Assign, ast.AugAssign, ast.Expr)
"""Statements that may be left out."""


class Mutant(NamedTuple):
    line: int
    """Of the program, from 1."""
    change: str
    """What became of what: `i < n → i <= n`."""
    program: str


@dataclass(frozen=True, slots=True)
class Change:
    line: int
    index: int
    """Place of the node, in the order of `ast.walk`."""
    node: ast.AST
    other: ast.AST
    """What stands there instead."""


def mutants(tree: ast.Module, per_line: int) -> Iterator[Mutant]:
    """In the order of the lines, made as they are asked for."""
    taken: Counter[int] = Counter()
    for change in sorted(changes(tree), key=lambda change: (change.line, change.index)):
        taken[change.line] += 1
        if taken[change.line] > per_line:
            continue
        with contextlib.suppress(RecursionError, ValueError):  # too deep for Python to write
            text = f"{shown(change.node)} → {shown(change.other)}"
            yield Mutant(change.line, text, swapped(tree, change))


def changes(tree: ast.Module) -> Iterator[Change]:
    """Every small thing that may be changed; texts that stand alone are comments, and stay."""
    comments = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for index, node in enumerate(ast.walk(tree)):
        if not (isinstance(node, ast.Constant) and id(node) in comments):
            for other in _variants(node):
                yield Change(node.lineno, index, node, other)  # type: ignore[attr-defined]


def swapped(tree: ast.Module, change: Change) -> str:
    """The program with the change."""
    changed = copy.deepcopy(tree)
    target = next(at for i, at in enumerate(ast.walk(changed)) if i == change.index)
    whole = _Swap(target, copy.deepcopy(change.other)).visit(changed)
    return ast.unparse(ast.fix_missing_locations(whole))


def shown(node: ast.AST) -> str:
    return ast.unparse(node.test if isinstance(node, ast.If | ast.While) else node)


class _Swap(ast.NodeTransformer):
    def __init__(self, target: ast.AST, other: ast.AST) -> None:
        self._target, self._other = target, other

    def visit(self, node: ast.AST) -> ast.AST:
        return self._other if node is self._target else self.generic_visit(node)


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BinOp):
        for operator in _ARITHMETIC.get(type(node.op), ()):
            yield ast.BinOp(node.left, operator(), node.right)
    elif isinstance(node, ast.AugAssign):
        for operator in _ARITHMETIC.get(type(node.op), ()):
            yield ast.AugAssign(node.target, operator(), node.value)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.If | ast.While):
        yield _negated(node)
    if isinstance(node, _DROPPED) and not _is_docstring(node):
        yield ast.Pass()


def _comparisons(node: ast.Compare) -> Iterator[ast.Compare]:
    for at, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield ast.Compare(
                node.left, [*node.ops[:at], other(), *node.ops[at + 1 :]], node.comparators
            )


def _constants(node: ast.Constant) -> Iterator[ast.Constant]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, str):
        yield ast.Constant("" if value else "_")


def _negated(node: ast.If | ast.While) -> ast.stmt:
    other = copy.copy(node)
    other.test = ast.UnaryOp(ast.Not(), node.test)
    return other


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
