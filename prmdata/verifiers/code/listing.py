"""Trace → the program that its steps are the lines of."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from prmdata.grading.code import program_lines
from prmdata.records import Trace
from prmdata.traces.lines import lines_of

LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Listing:
    program: str
    tree: ast.Module
    owner: tuple[int, ...]
    """For each line, the step that it ends in; -1 for the lines of the problem."""


def listing_of(trace: Trace) -> Listing | None:
    """None where the trace is no Python; what completes a prompt is read after that prompt."""
    lines, prompted = program_lines(trace.text, trace.problem.context)
    program = "\n".join(lines)
    try:
        tree = ast.parse(program) if len(program) <= LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    _, owner = lines_of(trace)
    return None if tree is None else Listing(program, tree, (*[-1] * prompted, *owner))
