"""Pairs calls with gold calls: one to one, in order, or in shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

ROUNDS = 200
Table = Sequence[Sequence[float]]
"""How alike each call (a row) and each gold call (a column) are."""


def assigned(table: Table) -> list[int | None]:
    """For each row its column, so that the sum is greatest (Kuhn–Munkres, shortest augmenting
    paths); `None` where nothing alike is left."""
    rows, columns = len(table), len(table[0]) if table else 0
    size = max(rows, columns)
    if not rows or not columns:
        return [None] * rows
    cost = [
        [-table[i][j] if i < rows and j < columns else 0.0 for j in range(size)]
        for i in range(size)
    ]
    of_row, of_column = [0.0] * (size + 1), [0.0] * (size + 1)
    owner = [0] * (size + 1)  # of each column, counted from 1; 0: nobody
    for row in range(1, size + 1):
        owner[0], column = row, 0
        least, came = [math.inf] * (size + 1), [0] * (size + 1)
        used = [False] * (size + 1)
        while owner[column]:
            used[column] = True
            here, step, following = owner[column], math.inf, 0
            for j in range(1, size + 1):
                if used[j]:
                    continue
                reduced = cost[here - 1][j - 1] - of_row[here] - of_column[j]
                if reduced < least[j]:
                    least[j], came[j] = reduced, column
                if least[j] < step:
                    step, following = least[j], j
            for j in range(size + 1):
                if used[j]:
                    of_row[owner[j]] += step
                    of_column[j] -= step
                else:
                    least[j] -= step
            column = following
        while column:
            owner[column] = owner[came[column]]
            column = came[column]
    places: list[int | None] = [None] * rows
    for j in range(1, columns + 1):
        i = owner[j] - 1
        if 0 <= i < rows and table[i][j - 1] > 0:
            places[i] = j - 1
    return places


def in_order(table: Table) -> list[int | None]:
    """The best matching that crosses nowhere."""
    rows, columns = len(table), len(table[0]) if table else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            pair = table[i][j] + best[i + 1][j + 1] if table[i][j] > 0 else -math.inf
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair)
    places: list[int | None] = [None] * rows
    i = j = 0
    while i < rows and j < columns:
        if table[i][j] > 0 and best[i][j] == table[i][j] + best[i + 1][j + 1]:
            places[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return places


def transported(table: Table, regularisation: float) -> list[list[float]]:
    """Each row's share in each column (Sinkhorn): a row gives 1 in all, a column takes no more than
    its part of what the rows give."""
    if not table or not table[0]:
        return [[] for _ in table]
    peak = max(max(row) for row in table)
    plan = [[math.exp((x - peak) / regularisation) for x in row] for row in table]
    part = len(table) / len(table[0])
    for _ in range(ROUNDS):
        for j in range(len(table[0])):
            total = sum(row[j] for row in plan) or 1.0
            for row in plan:
                row[j] *= part / total
        for row in plan:
            total = sum(row) or 1.0
            row[:] = [x / total for x in row]
    return plan
