"""A code problem's tests → expressions to work out beside a program, and what each must be.

What is expected is worked out without the program, and compared outside the sandbox: a program
that forges its report would have to know the answers.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prmdata.sandbox import Sandbox

Outcome = Literal["pass", "fail"]
_WORK_OUT = """
def _plain(value):
    kind = type(value).__name__
    if value is None or kind in ("bool", "int", "float", "str"):
        return value
    if kind in ("list", "tuple", "set", "frozenset"):
        held = [_plain(item) for item in value]
        return [kind, *(sorted(held, key=repr) if "set" in kind else held)]
    if isinstance(value, dict):
        return ["dict", *sorted(([_plain(k), _plain(v)] for k, v in value.items()), key=repr)]
    return [kind, repr(value)]

def _worked_out(expressions):
    found = []
    for expression in expressions:
        try:
            found.append(["value", _plain(eval(expression, globals()))])
        except Exception as error:
            found.append(["error", type(error).__name__])
    return found

"""


@dataclass(frozen=True, slots=True)
class Case:
    asked: str
    """An expression over the program."""
    expected: str = "True"


@dataclass(frozen=True, slots=True)
class Suite:
    setup: str
    cases: tuple[Case, ...]
    expected: tuple[Any, ...]
    """What each case must be, in plain data."""

    async def outcome(self, program: str, box: Sandbox, deadline_s: float) -> Outcome:
        asked = [case.asked for case in self.cases]
        code = f"{program}\n\n{self.setup}\n{_WORK_OUT}\n_worked_out({asked!r})"
        result = await box.run(code, deadline_s=deadline_s)
        right = [["value", expected] for expected in self.expected]
        return "pass" if result.exit == "ok" and result.value == right else "fail"


async def suite_of(context: Mapping[str, Any], box: Sandbox, deadline_s: float) -> Suite | None:
    """None where there are no tests, or none that can be worked out."""
    setup = str(context.get("setup") or "")
    cases = _cases(context)
    if not cases:
        return None
    wanted = [case.expected for case in cases]
    code = f"{setup}\n{_WORK_OUT}\n_worked_out({wanted!r})"
    result = await box.run(code, deadline_s=deadline_s)
    if result.exit != "ok" or not isinstance(result.value, list):
        return None
    kept: list[Case] = []
    expected: list[Any] = []
    for case, (how, value) in zip(cases, result.value, strict=True):
        whole = how == "error"  # what is expected needs the program, so ask for the whole equality
        kept.append(Case(f"bool(({case.asked}) == ({case.expected}))") if whole else case)
        expected.append(True if whole else value)
    return Suite(setup, tuple(kept), tuple(expected))


def _cases(context: Mapping[str, Any]) -> list[Case]:
    try:
        if context.get("tests"):
            asserted = [node for test in context["tests"] for node in ast.parse(test).body]
            return _read(asserted)
        if context.get("test") and context.get("entry_point"):
            return _checks(str(context["test"]), str(context["entry_point"]))
    except (SyntaxError, RecursionError, ValueError):
        return []
    return []


def _checks(test: str, entry_point: str) -> list[Case]:
    """The asserts of HumanEval's `check(candidate)`."""
    tree = _Renamed(entry_point).visit(ast.parse(test))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "check":
            return _read(node.body)
    return []


def _read(body: Sequence[ast.stmt]) -> list[Case]:
    """Nothing, where a statement is more than an assert: half a test could be passed by chance."""
    if not all(isinstance(node, ast.Assert | ast.Expr) for node in body):
        return []
    return [_case(node.test) for node in body if isinstance(node, ast.Assert)]


def _case(test: ast.expr) -> Case:
    if isinstance(test, ast.Compare) and [type(op) for op in test.ops] == [ast.Eq]:
        return Case(ast.unparse(test.left), ast.unparse(test.comparators[0]))
    return Case(f"bool({ast.unparse(test)})")


class _Renamed(ast.NodeTransformer):
    def __init__(self, entry_point: str) -> None:
        self._entry_point = entry_point

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._entry_point, node.ctx) if node.id == "candidate" else node
