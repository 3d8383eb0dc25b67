"""A trace → its lines, each with the step that it ends in."""

from __future__ import annotations

from prmdata.records import Trace


def lines_of(trace: Trace) -> tuple[list[str], list[int]]:
    """A line break that begins a step ends a line of the step before."""
    lines: list[str] = []
    owner: list[int] = []
    for index, step in enumerate(trace.steps):
        first, *rest = step.text.split("\n")
        if lines:
            lines[-1] += first
            owner[-1] = index if first else owner[-1]
        else:
            lines, owner = [first], [index]
        lines += rest
        owner += [index] * len(rest)
    return lines, owner
