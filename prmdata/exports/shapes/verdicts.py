"""What a trace's labels say, in the shapes that formats share."""

from __future__ import annotations

import re
from typing import Literal

from prmdata.exports.contract import LeftOut
from prmdata.records import Evidence, Labels, Trace

MASKED = -100
"""The label that trainers leave out of the loss."""
NO_ERROR = -1

AfterError = Literal["mask", "wrong"]
Unexamined = Literal["keep", "drop"]


def decided(trace: Trace, unexamined: Unexamined = "keep") -> Labels:
    """The labels of a trace that has steps and, where asked, whose steps somebody looked into.

    A wrong answer on which no step is called wrong would teach that its wrong step is right.
    """
    if trace.labels is None:
        raise LeftOut("no labels")
    if not trace.steps:
        raise LeftOut("no steps")
    if trace.labels.first_error is None and trace.correct is False:
        raise LeftOut("a wrong answer with no wrong step")
    if trace.labels.undecided:
        raise LeftOut("undecided")
    if unexamined == "drop" and not trace.labels.examined:
        raise LeftOut("unexamined")
    return trace.labels


def step_labels(trace: Trace, labels: Labels, after_error: AfterError) -> list[int]:
    """1 for the steps before the first wrong one, 0 for it, and what was asked for the rest."""
    first = labels.first_error
    if first is None:
        return [1] * len(trace.steps)
    after = MASKED if after_error == "mask" else 0
    return [1] * first + [0] + [after] * (len(trace.steps) - first - 1)


def error_index(labels: Labels, base: int = 0) -> int:
    """The first wrong step, counted from `base`; -1 where no step is wrong."""
    return NO_ERROR if labels.first_error is None else labels.first_error + base


def evidence_behind(trace: Trace) -> list[Evidence]:
    """The evidence that the labels were decided from, where it is in the trace."""
    labels = trace.labels
    if labels is None:
        return []
    named = str(labels.settings.get("evidence") or labels.by)
    found = (trace.evidence_named(name) for name in re.split("[+,]", named))
    return [evidence for evidence in found if evidence is not None]


def measuring(trace: Trace, name: str | None) -> Evidence | None:
    """The evidence whose values a format is to write; early stopping would have bent them."""
    if name is not None:
        found = trace.evidence_named(name)
    else:
        behind = reversed(evidence_behind(trace))
        others = (e for e in reversed(trace.evidence) if e.kind != "truth")
        found = next((e for e in (*behind, *others) if e.values), None)
    if found is not None and found.stopping == "first-hit":
        raise LeftOut("counts bent by early stopping")
    return found


def measured(trace: Trace, name: str | None) -> tuple[float | None, ...]:
    """Its values, one a step, or none at all."""
    found = measuring(trace, name)
    return found.values if found else ()


def biased(trace: Trace) -> bool:
    """Whether the labels' values are counts that early stopping has bent.

    Methods that read evidence name it in their settings; the values of searches, and of methods
    that only say right and wrong, are no counts.
    """
    labels = trace.labels
    if labels is None or "evidence" not in labels.settings:
        return False
    behind = evidence_behind(trace)
    stopped = [e for e in behind if e.stopping == "first-hit" and not e.verdicts]  # those decide
    graded = any(value not in (0, 1, None) for value in labels.values)
    return bool(stopped) and (graded or any(e.values == labels.values for e in stopped))


def soft_values(trace: Trace) -> list[float | None] | None:
    """The labels' values, save where early stopping has biased the counts behind them."""
    if trace.labels is None or not trace.labels.values or biased(trace):
        return None
    return list(trace.labels.values)
