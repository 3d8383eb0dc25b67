"""A program → the same program with one expression or statement written in another way.

Most are equivalent whatever the values are; a few (swapped operands, `a += b` for a list) are so
only for some. The tests decide: what fails them is a wrong line like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from prmdata.verifiers.code.mutations import Change

_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq,
    ast.NotIn: ast.In,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
_EMPTY = {"list": "[]", "dict": "{}", "tuple": "()"}


def refactorings(tree: ast.Module) -> Iterator[Change]:
    """Where, what, and what it becomes; one change each."""
    for index, node in enumerate(ast.walk(tree)):
        for other in _variants(node):
            yield Change(node.lineno, index, node, other)  # type: ignore[attr-defined]


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _comparisons(node)
    elif isinstance(node, ast.BinOp):
        yield from _sums(node)
    elif isinstance(node, ast.BoolOp):
        yield _by_de_morgan(node)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(_negated(node.test), node.orelse, node.body)
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        yield ast.Assign([node.target], value, lineno=node.lineno)
    elif isinstance(node, ast.Assign):
        yield from _shortened(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _calls(node, node.func.id)
    elif isinstance(node, ast.List | ast.Dict):
        empty = not (node.elts if isinstance(node, ast.List) else node.keys)
        if empty:
            name = "list" if isinstance(node, ast.List) else "dict"
            yield ast.Call(ast.Name(name, ast.Load()), [], [])
    elif isinstance(node, ast.Subscript):
        yield from _places(node)


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    operator, right = type(node.ops[0]), node.comparators[0]
    if operator in _MIRRORED:
        yield ast.Compare(right, [_MIRRORED[operator]()], [node.left])
    if operator in _OPPOSITE:
        yield _negated(ast.Compare(node.left, [_OPPOSITE[operator]()], [right]))
    if operator is ast.Eq and _is_number(right, 0):
        yield _negated(node.left)


def _sums(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.left, ast.Name) and _is_number(node.right, 2):
        doubled = {ast.Mult: ast.Add, ast.Pow: ast.Mult}.get(type(node.op))
        if doubled is not None:
            yield ast.BinOp(node.left, doubled(), node.left)


def _by_de_morgan(node: ast.BoolOp) -> ast.AST:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return _negated(ast.BoolOp(other, [_negated(value) for value in node.values]))


def _shortened(node: ast.Assign) -> Iterator[ast.AST]:
    """`x = x + y` → `x += y`."""
    target, value = node.targets[0], node.value
    if len(node.targets) > 1 or not isinstance(target, ast.Name):
        return
    if not isinstance(value, ast.BinOp) or not isinstance(value.left, ast.Name):
        return
    if value.left.id == target.id:
        yield ast.AugAssign(target, value.op, value.right)


def _calls(node: ast.Call, name: str) -> Iterator[ast.AST]:
    if node.keywords:
        return
    if name in _EMPTY and not node.args:
        yield ast.parse(_EMPTY[name], mode="eval").body
    elif name == "range" and len(node.args) == 1:
        yield ast.Call(node.func, [ast.Constant(0), *node.args], [])
    elif name == "range" and len(node.args) == 2 and _is_number(node.args[0], 0):
        yield ast.Call(node.func, node.args[1:], [])


def _places(node: ast.Subscript) -> Iterator[ast.AST]:
    """`items[-1]` → `items[len(items) - 1]`, `items[:n]` → `items[0:n]`."""
    held, place = node.value, node.slice
    below_zero = isinstance(place, ast.UnaryOp) and isinstance(place.op, ast.USub)
    if isinstance(held, ast.Name) and isinstance(place, ast.UnaryOp) and below_zero:
        length = ast.Call(ast.Name("len", ast.Load()), [held], [])
        yield ast.Subscript(held, ast.BinOp(length, ast.Sub(), place.operand), node.ctx)
    if isinstance(place, ast.Slice) and place.lower is None and place.step is None:
        yield ast.Subscript(held, ast.Slice(ast.Constant(0), place.upper), node.ctx)


def _negated(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _is_number(node: ast.AST, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number
