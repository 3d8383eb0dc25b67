"""How far confidences are from the shares that they promise."""

from __future__ import annotations

from dataclasses import dataclass

from prmdata.report.sample import BINS


@dataclass(frozen=True, slots=True)
class Bin:
    """Traces of about the same confidence."""

    traces: int
    confidence: float
    exact: float


def reliability(confidences: list[tuple[float, bool]]) -> list[Bin]:
    """Ten bins of equal width, the empty ones left out."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in confidences:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, hit))
    return [
        Bin(
            len(found),
            round(sum(c for c, _ in found) / len(found), 6),
            round(sum(hit for _, hit in found) / len(found), 6),
        )
        for _, found in sorted(bins.items())
    ]


def calibration_error(confidences: list[tuple[float, bool]]) -> float | None:
    """Mean distance of confidence and exact share over the bins, by their traces."""
    bins = reliability(confidences)
    if not bins:
        return None
    off = sum(b.traces * abs(b.confidence - b.exact) for b in bins)
    return round(off / len(confidences), 6)
