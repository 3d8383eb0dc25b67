"""A program → its lines in other words: mutated, so that they may be wrong, and refactored.

A rewritten line differs from the written one only where it was changed: spaces, comments and all
other lines stay as they are.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.verifiers.code.mutations import Change, changes, shown, swapped
from prmdata.verifiers.code.refactorings import refactorings

Kind = Literal["mutation", "refactoring"]
_HEADS = ("if ", "if(", "while ", "while(", "for ", "def ", "class ", "with ", "async ")


@dataclass(frozen=True, slots=True)
class Rewrite:
    line: int
    """Of the program, from 1."""
    text: str
    """What stands there instead."""
    kind: Kind
    change: str
    """What became of what: `i < n → i <= n`."""

    def applied(self, lines: Sequence[str]) -> str:
        """The program with it."""
        return "\n".join([*lines[: self.line - 1], self.text, *lines[self.line :]])


def rewrites(
    program: str, tree: ast.Module, seed: str, counts: dict[Kind, int], most_lines: int = 10**6
) -> list[Rewrite]:
    """In the order of the lines; of each kind at most so many per line, drawn by the seed."""
    drawn: list[Rewrite] = []
    chosen = _chosen(tree, seed, most_lines)
    every: tuple[tuple[Kind, Iterator[Change]], ...] = (
        ("mutation", changes(tree)),
        ("refactoring", refactorings(tree)),
    )
    lines = program.split("\n")
    for kind, found in every:
        by_line: defaultdict[int, list[Change]] = defaultdict(list)
        for change in found:
            if change.line in chosen:
                by_line[change.line].append(change)
        for line, choices in by_line.items():
            random.Random(f"{seed}:{kind}:{line}").shuffle(choices)
            drawn += _first(lines, tree, kind, choices, counts[kind])
    return sorted(drawn, key=lambda rewrite: (rewrite.line, rewrite.kind, rewrite.text))


def _chosen(tree: ast.Module, seed: str, most: int) -> set[int]:
    """The lines to rewrite: all, or as many as are allowed, drawn by the seed."""
    found = (change.line for change in (*changes(tree), *refactorings(tree)))
    lines = sorted(set(found))
    return set(random.Random(seed).sample(lines, most) if len(lines) > most else lines)


def _first(
    lines: Sequence[str], tree: ast.Module, kind: Kind, choices: list[Change], count: int
) -> list[Rewrite]:
    """The first few that can be written on one line, each text once."""
    made: dict[str, Rewrite] = {}
    for change in choices:
        if len(made) == count:
            break
        text = _written(lines, tree, change)
        if text is not None and text != lines[change.line - 1]:
            shown_change = f"{shown(change.node)} → {shown(change.other)}"
            made.setdefault(text, Rewrite(change.line, text, kind, shown_change))
    return list(made.values())


def _written(lines: Sequence[str], tree: ast.Module, change: Change) -> str | None:
    """The line with the change; None where it takes more than that line.

    What is put in may bind less tightly than what stood there, so it is tried with brackets too:
    the line must read as the changed tree does.
    """
    node, other = change.node, change.other
    if isinstance(node, ast.If | ast.While) and isinstance(other, ast.If | ast.While):
        node, other = node.test, other.test
    start, end = node.lineno, node.end_lineno  # type: ignore[attr-defined]
    if start != end or start != change.line:
        return None
    line = lines[start - 1].encode()  # places in a line are counted in bytes
    before, after = line[: node.col_offset], line[node.end_col_offset :]  # type: ignore[attr-defined]
    try:
        text = ast.unparse(ast.fix_missing_locations(other))
        for put in (text, f"({text})"):
            written: str = (before + put.encode() + after).decode()
            if "\n" not in put and _reads_as_meant(lines, tree, change, written):
                return written
    except (RecursionError, ValueError, SyntaxError):
        return None  # too deep, or nothing that Python can write
    return None


def _reads_as_meant(lines: Sequence[str], tree: ast.Module, change: Change, written: str) -> bool:
    """By the statement alone where one line holds one, since programs may be long."""
    here = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno == change.line]
    if len(here) == 1 and (alone := _dump(_alone(written))) is not None:
        return alone == _dump(ast.unparse(_header(_replaced(here[0], change.node, change.other))))
    whole = [*lines[: change.line - 1], written, *lines[change.line :]]
    return _dump("\n".join(whole)) == _dump(swapped(tree, change))


def _alone(line: str) -> str:
    """A line as a statement of its own: `    elif x:  # so` → `if x:  # so` and a body."""
    text = line.strip().removeprefix("el")
    return f"{text}\n    pass" if text.startswith(_HEADS) else text


def _header(statement: ast.AST) -> ast.AST:
    """Without what it holds, but for one `pass`."""
    if not isinstance(statement, ast.stmt) or not hasattr(statement, "body"):
        return statement
    bare = copy.copy(statement)
    bare.body = [ast.Pass()]
    if hasattr(bare, "orelse"):
        bare.orelse = []
    return bare


def _replaced(node: ast.AST, target: ast.AST, other: ast.AST) -> ast.AST:
    """The tree with one node for another; what does not change is shared."""
    if node is target:
        return other
    made = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            setattr(made, name, _replaced(value, target, other))
        elif isinstance(value, list) and name not in ("body", "orelse", "finalbody"):
            items = [_replaced(v, target, other) if isinstance(v, ast.AST) else v for v in value]
            setattr(made, name, items)
    return made


def _dump(program: str) -> str | None:
    try:
        return ast.dump(ast.parse(program))
    except SyntaxError:
        return None
