"""A small Sudoku, four by four (constraint-based verification, as in Verifiable Process Rewards).

A number is right where the grid can still be completed after it. All 288 complete grids are known,
so that this is exact.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from prmdata.records import Problem
from prmdata.worlds.contract import Move, made, whole

SIDE = 4
EMPTY = "."
CLUES = (5, 8)


@functools.cache
def grids() -> tuple[str, ...]:
    """Every complete grid, row by row."""
    rows = ["".join(row) for row in itertools.permutations("1234")]
    halves = [a + b for a, b in itertools.product(rows, repeat=2) if _boxes_hold(a + b)]
    return tuple(
        top + bottom
        for top, bottom in itertools.product(halves, repeat=2)
        if all(len({(top + bottom)[i] for i in unit}) == SIDE for unit in units())
    )


def _boxes_hold(half: str) -> bool:
    """Whether two rows fill their two boxes."""
    return all(len({half[c], half[c + 1], half[c + 4], half[c + 5]}) == SIDE for c in (0, 2))


@functools.cache
def units() -> tuple[tuple[int, ...], ...]:
    """Rows, columns and boxes, as places in a grid."""
    rows = [tuple(range(r * SIDE, r * SIDE + SIDE)) for r in range(SIDE)]
    columns = [tuple(range(c, SIDE * SIDE, SIDE)) for c in range(SIDE)]
    corners = itertools.product((0, 2), (0, 2))
    boxes = [tuple((r + i) * SIDE + c + j for i in (0, 1) for j in (0, 1)) for r, c in corners]
    return (*columns, *boxes, *rows)


@functools.cache
def _holding() -> dict[tuple[int, str], int]:
    """Place and number → the complete grids that have it there, as bits."""
    found: dict[tuple[int, str], int] = dict.fromkeys(itertools.product(range(SIDE**2), "1234"), 0)
    for bit, grid in enumerate(grids()):
        for place, number in enumerate(grid):
            found[place, number] |= 1 << bit
    return found


def solvable(cells: str) -> bool:
    left = -1
    for place, number in enumerate(cells):
        if number != EMPTY:
            left &= _holding()[place, number]
    return left != 0


@dataclass(frozen=True, slots=True)
class Grid:
    cells: str


class Constraint:
    name: ClassVar[str] = "constraint"
    tools: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "name": "place",
            "description": "Writes a number, 1 to 4, into an empty cell; rows and columns from 1.",
            "parameters": {
                "row": {"type": "integer"},
                "column": {"type": "integer"},
                "number": {"type": "integer"},
            },
        },
    )

    def problem(self, seed: int, index: int) -> Problem:
        chance = random.Random(f"constraint {seed} {index}")
        solution = chance.choice(grids())
        shown = set(chance.sample(range(SIDE * SIDE), chance.randint(*CLUES)))
        cells = "".join(c if i in shown else EMPTY for i, c in enumerate(solution))
        question = (
            "Complete this grid so that every row, every column and every two by two box holds the "
            f"numbers 1 to 4, with the tool place. A dot is an empty cell.\n{drawn(cells)}\n"
            "When it is complete, end with a line: The answer is done."
        )
        return made(self.name, seed, index, question, "done", {"cells": cells})

    def start(self, problem: Problem) -> Grid:
        return Grid(str(problem.context["cells"]))

    def act(self, state: Grid, arguments: Mapping[str, object], tool: str = "") -> Move[Grid]:
        del tool
        row, column, number = (whole(arguments, name) for name in ("row", "column", "number"))
        if not all(n is not None and 1 <= n <= SIDE for n in (row, column, number)):
            text = "Row, column and number must be from 1 to 4."
            return Move(state, text, False, "it is not on the grid")
        assert row is not None
        assert column is not None
        place = (row - 1) * SIDE + column - 1
        if state.cells[place] != EMPTY:
            return Move(state, "That cell is not empty.", False, "the cell is not empty")
        cells = f"{state.cells[:place]}{number}{state.cells[place + 1 :]}"
        right = solvable(cells)
        note = None if right else "the grid cannot be completed after it"
        return Move(Grid(cells), drawn(cells), right, note)

    def answered(self, state: Grid, text: str) -> tuple[bool, float]:
        right = state.cells in grids()
        return right and "done" in text.casefold(), float(right)


def drawn(cells: str) -> str:
    return "\n".join(" ".join(cells[r : r + SIDE]) for r in range(0, SIDE * SIDE, SIDE))
