"""A program → its lines in other words: mutated, so that they may be wrong, and refactored.

A rewritten line differs from the written one only where it was changed: spaces, comments and all
other lines stay as they are.
"""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.verifiers.code.mutations import Change, changes, shown, swapped
from prmdata.verifiers.code.refactorings import refactorings

Kind = Literal["mutation", "refactoring"]


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


def rewrites(program: str, tree: ast.Module, seed: str, counts: dict[Kind, int]) -> list[Rewrite]:
    """In the order of the lines; of each kind at most so many per line, drawn by the seed."""
    drawn: list[Rewrite] = []
    every: tuple[tuple[Kind, Iterator[Change]], ...] = (
        ("mutation", changes(tree)),
        ("refactoring", refactorings(tree)),
    )
    lines = program.split("\n")
    for kind, found in every:
        by_line: defaultdict[int, list[Change]] = defaultdict(list)
        for change in found:
            by_line[change.line].append(change)
        for line, choices in by_line.items():
            random.Random(f"{seed}:{kind}:{line}").shuffle(choices)
            drawn += _first(lines, tree, kind, choices, counts[kind])
    return sorted(drawn, key=lambda rewrite: (rewrite.line, rewrite.kind, rewrite.text))


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
    the program must read as the changed tree does.
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
        meant = ast.dump(ast.parse(swapped(tree, change)))
        for put in (text, f"({text})"):
            written: str = (before + put.encode() + after).decode()
            whole = "\n".join([*lines[: start - 1], written, *lines[start:]])
            if "\n" not in put and _dump(whole) == meant:
                return written
    except (RecursionError, ValueError, SyntaxError):
        return None  # too deep, or nothing that Python can write
    return None


def _dump(program: str) -> str | None:
    try:
        return ast.dump(ast.parse(program))
    except SyntaxError:
        return None
