"""How far a judge is trusted on one problem (SophiaVL-R1, arXiv 2505.17018): fully where it likes
the traces that end right at least as well as the others, else less, by how much it prefers the
wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from prmdata.records import Evidence, Trace


def trust_in(group: Sequence[Trace], names: Sequence[str]) -> dict[str, float]:
    """Of each judge, a weight in (0, 1]."""
    return {name: _trust(group, name) for name in names}


def _trust(group: Sequence[Trace], name: str) -> float:
    scores: dict[bool, list[float]] = {True: [], False: []}
    for trace in group:
        evidence = trace.evidence_named(name)
        score = None if evidence is None else score_of(evidence)
        if trace.correct is not None and score is not None:
            scores[trace.correct].append(score)
    if not scores[True] or not scores[False]:
        return 1.0
    return min(1.0, math.exp(fmean(scores[True]) - fmean(scores[False])))


def score_of(evidence: Evidence) -> float | None:
    """How much a judge likes a trace: 1 where it finds no wrong step, else 0; values: the mean."""
    if evidence.verdicts:
        if not any(v in ("right", "wrong") for v in evidence.verdicts):
            return None
        return float(evidence.first_wrong is None)
    known = [value for value in evidence.values if value is not None]
    return fmean(known) if known else None
