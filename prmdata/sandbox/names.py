"""Whose is a name that tests use: their own, Python's, or the program's?

A program that defines `abs`, `math` or `isclose` changes nothing of what its tests mean by them.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from typing import Any

MODULES = ("math", "collections", "fractions", "decimal", "itertools", "functools", "datetime")
"""Where a test takes names from without importing them, as the program under test does."""


def of_the_program(tests: dict[str, Any]) -> set[str]:
    """What the tests use and neither they nor Python define; and the entry point."""
    entry = {tests["entry_point"]} - {None}
    return (_used(tests) - _library(tests).keys()) | entry


def of_their_own(tests: dict[str, object]) -> dict[str, object]:
    return _library(tests)


def _used(tests: dict[str, object]) -> set[str]:
    trees = _trees(tests)
    loaded = {
        node.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    defined = {name for tree in trees for node in ast.walk(tree) for name in _defined(node)}
    return {name for name in loaded - defined if not hasattr(builtins, name)}


def _defined(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return {node.arg} if isinstance(node, ast.arg) else set()


def _library(tests: dict[str, object]) -> dict[str, Any]:
    """Python's own modules and functions, where something else is left to test."""
    used = _used(tests) - {tests["entry_point"]}
    bases = {
        node.value.id
        for tree in _trees(tests)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    found = {
        name: importlib.import_module(name)
        for name in used & bases
        if name in sys.stdlib_module_names
    }
    for module in map(importlib.import_module, MODULES):
        found |= {
            name: getattr(module, name) for name in used - found.keys() if hasattr(module, name)
        }
    return found if tests["entry_point"] or used - found.keys() else {}


def _trees(tests: dict[str, Any]) -> list[ast.Module]:
    return [ast.parse(source) for source in (tests["setup"], *tests["tests"])]
