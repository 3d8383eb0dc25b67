"""What each source says of a trace's first error: labels, and every piece of evidence."""

from __future__ import annotations

from prmdata.labellers.evidence.reading import combined
from prmdata.records import Evidence, Labels, Trace

NO_STEP = -1
"""It says that no step is wrong."""
SILENT = -2
"""It says nothing, or not enough to name a step."""


def of_labels(labels: Labels | None) -> int:
    if labels is None or labels.undecided:
        return SILENT
    return NO_STEP if labels.first_error is None else labels.first_error


def of_truth(truth: Evidence | None) -> int:
    """Silent too where steps before the first wrong one were left open."""
    if truth is None or not truth.verdicts:
        return SILENT
    first = truth.first_wrong
    judged = truth.verdicts if first is None else truth.verdicts[:first]
    if any(verdict != "right" for verdict in judged):
        return SILENT
    return NO_STEP if first is None else first


def of_evidence(trace: Trace, evidence: Evidence) -> int:
    """The first step that it calls wrong: a verdict, no hit, or a score of at most one half."""
    if evidence.verdicts:
        first = evidence.first_wrong
        if first is not None:
            return first
        return NO_STEP if all(v == "right" for v in evidence.verdicts) else SILENT
    if not evidence.values:
        return SILENT
    threshold = 0.5 if evidence.kind == "scores" else 0.0
    first = combined(trace, [evidence]).first_wrong(threshold)
    if any(value is None for value in evidence.values[: first if first is not None else -1]):
        return SILENT  # a search that looked at some steps: its labels say what it decided
    return NO_STEP if first is None else first


def of_trace(trace: Trace) -> dict[str, int]:
    """By source; a search's own evidence speaks through its labels."""
    labels = trace.labels
    found: dict[str, int] = {}
    if labels is not None and labels.examined:
        found[f"label: {labels.by}"] = of_labels(labels)
    for evidence in trace.evidence:
        if evidence.kind != "truth" and not (labels and evidence.name == labels.by):
            found[evidence.name] = of_evidence(trace, evidence)
    return {name: claim for name, claim in found.items() if claim != SILENT}


def disagreement(claims: dict[str, int]) -> float:
    """The share of pairs of sources that name different first errors."""
    said = list(claims.values())
    pairs = len(said) * (len(said) - 1) // 2
    if not pairs:
        return 0.0
    return sum(a != b for i, a in enumerate(said) for b in said[:i]) / pairs


def tool_contradicts(trace: Trace) -> bool:
    """Whether a tool calls a step wrong that the label takes for right."""
    labels = trace.labels
    if labels is None or labels.undecided:
        return False
    first = len(trace.steps) if labels.first_error is None else labels.first_error
    wrong = (e.first_wrong for e in trace.evidence if e.checked_by == "tool")
    return any(step is not None and step < first for step in wrong)
