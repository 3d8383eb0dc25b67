"""Trace → the program that its steps are the lines of."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from prmdata.records import Trace
from prmdata.traces.lines import lines_of

LONGEST = 20_000
_FENCE = re.compile(r"^\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Listing:
    program: str
    tree: ast.Module
    owner: tuple[int, ...]
    """For each line, the step that it ends in; -1 for the lines of the problem."""


def listing_of(trace: Trace) -> Listing | None:
    """None where the trace is no Python; what completes a prompt is read after that prompt."""
    lines, owner = lines_of(trace)
    lines = _inside(lines)
    context = trace.problem.context
    prompt = str(context.get("prompt") or "")
    name = str(context.get("entry_point") or "")
    if prompt and not any(re.match(rf"(?:async )?def {re.escape(name)}\b", line) for line in lines):
        before = prompt.rstrip("\n").split("\n")
        lines, owner = [*before, *lines], [*[-1] * len(before), *owner]
    program = "\n".join(lines)
    try:
        tree = ast.parse(program) if len(program) <= LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None if tree is None else Listing(program, tree, tuple(owner))


def _inside(lines: list[str]) -> list[str]:
    """Where there are fences, what stands outside of them is left blank."""
    if not any(map(_FENCE.match, lines)):
        return lines
    kept, inside = [], False
    for line in lines:
        fence = _FENCE.match(line) is not None
        inside ^= fence
        kept.append(line if inside and not fence else "")
    return kept
