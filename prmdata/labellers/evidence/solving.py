"""Where a trace had its answer, and whether it lost it again: read off values of its steps.

Only values that say whether the question can be answered now tell this: those of `potential`,
`anytime` and `gain`.
"""

from __future__ import annotations

from dataclasses import dataclass

from prmdata.records import Trace

SOURCES = ("potential", "anytime", "gain")
"""The first of these that a trace carries is read."""
HELD = 0.9
"""A value from which on the answer is held."""


@dataclass(frozen=True, slots=True)
class Solving:
    step: int | None
    """The first step (from 0) after which the answer is held; `None`: none is."""
    after: int
    """Steps after it: checking, or thinking on for nothing."""
    overturned: bool
    """The answer was held, and the trace ends wrong all the same."""


def solving_of(trace: Trace) -> Solving | None:
    """`None` where no evidence says it."""
    found = next((e for name in SOURCES if (e := trace.evidence_named(name)) and e.values), None)
    if found is None:
        return None
    last = len(trace.steps) - 1
    values = found.values[:last]  # the last step states an answer: it is how the trace ends
    step = next((i for i, v in enumerate(values) if v is not None and v > HELD), None)
    if step is None:
        return Solving(last if trace.correct else None, 0, overturned=False)
    return Solving(step, last - step, overturned=trace.correct is False)
