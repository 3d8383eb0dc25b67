"""Which steps are right and which are wrong, by the labels or by one piece of evidence."""

from __future__ import annotations

from prmdata.errors import InputError
from prmdata.records import Trace

LABELS = "labels"
Rights = tuple[bool | None, ...]
"""A word on each step: right, wrong, or nothing known."""


def rights(trace: Trace, by: str | None = None, threshold: float = 0.5) -> Rights:
    """By the labels, where there are any and nothing is named; else by the last evidence with
    verdicts or values. A value above the threshold is read as right."""
    if by == LABELS or (by is None and trace.labels is not None):
        return _by_labels(trace)
    if by is None:
        others = (e for e in reversed(trace.evidence) if e.kind != "truth")
        found = next((e for e in others if e.verdicts or e.values), None)
    else:
        found = trace.evidence_named(by)
    if found is None:
        return (None,) * len(trace.steps)
    if found.verdicts:
        return tuple({"right": True, "wrong": False}.get(v or "") for v in found.verdicts)
    if found.values:
        return tuple(None if value is None else value > threshold for value in found.values)
    raise InputError(
        f"trace {trace.id}: evidence '{found.name}' has rewards alone, which do not say whether a "
        "step is right; name evidence with verdicts or values"
    )


def _by_labels(trace: Trace) -> Rights:
    """Nothing is known of the steps after the first wrong one, nor of unexamined traces."""
    labels, steps = trace.labels, len(trace.steps)
    if labels is None or labels.undecided or (labels.first_error is None and not labels.examined):
        return (None,) * steps
    if labels.first_error is None:
        return (True,) * steps
    first = labels.first_error
    return (True,) * first + (False,) + (None,) * (steps - first - 1)


def step_error(known: Rights) -> float | None:
    """The share of wrong steps among those of which something is known."""
    judged = [right for right in known if right is not None]
    return judged.count(False) / len(judged) if judged else None
