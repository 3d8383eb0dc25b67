"""A trace → its lines, each with the step that it ends in."""

from __future__ import annotations

from prmdata.records import Trace


def lines_of(trace: Trace) -> tuple[list[str], list[int]]:
    """A line break that begins a step ends a line of the step before."""
    lines: list[list[str]] = []
    owner: list[int] = []
    for index, step in enumerate(trace.steps):
        first, *rest = step.text.split("\n")
        if not lines:
            lines, owner = [[first]], [index]
        elif first:
            lines[-1].append(first)
            owner[-1] = index
        lines += ([line] for line in rest)
        owner += [index] * len(rest)
    return ["".join(parts) for parts in lines], owner
