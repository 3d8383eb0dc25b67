"""A code problem's tests → whether a program passes them.

They run in a process of their own, which asks the program's process for what it calls: expected
values never stand in a program's memory, and the names that a test uses are its own.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prmdata.sandbox import Sandbox

Outcome = Literal["pass", "fail", "unknown"]
"""`unknown`: the program did not end of its own accord within its limits."""


@dataclass(frozen=True, slots=True)
class Suite:
    setup: str
    """Run before the tests, and after the program, which may rely on it."""
    tests: tuple[str, ...]
    """Statements that raise where the program is wrong."""
    entry_point: str | None = None
    """What is given to the tests' function `check`, where that is how they are written."""

    async def outcome(self, program: str, box: Sandbox, cpu_s: float) -> Outcome:
        tests = {"setup": self.setup, "tests": self.tests, "entry_point": self.entry_point}
        result = await box.judge(f"{program}\n\n{self.setup}", tests, cpu_s=cpu_s)
        if result.exit not in ("ok", "error"):
            return "unknown"
        return "pass" if result.exit == "ok" and result.value is True else "fail"


def suite_of(context: Mapping[str, Any]) -> Suite | None:
    """None where there are no tests, or none that say anything."""
    setup = str(context.get("setup") or "")
    try:
        if context.get("tests"):
            return _asserts(setup, tuple(map(str, context["tests"])))
        if context.get("test") and context.get("entry_point"):
            return _check(setup, str(context["test"]), str(context["entry_point"]))
    except (SyntaxError, RecursionError, ValueError, MemoryError):
        return None
    return None


def _asserts(setup: str, tests: tuple[str, ...]) -> Suite | None:
    """MBPP's list of statements."""
    ast.parse(setup)
    return Suite(setup, tests) if all(_says_something(ast.parse(test)) for test in tests) else None


def _check(setup: str, test: str, entry_point: str) -> Suite | None:
    """HumanEval's `check(candidate)`."""
    ast.parse(setup)
    for node in ast.parse(test).body:
        if isinstance(node, ast.FunctionDef) and node.name == "check" and _says_something(node):
            return Suite(setup, (test,), entry_point)
    return None


def _says_something(tests: ast.AST) -> bool:
    return any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(tests))
