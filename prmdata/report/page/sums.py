"""What the first screen says of one file: how many, how sure, how right, and at what cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from prmdata.intervals import clustered_wilson
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.report.calibration import calibration_error, reliability
from prmdata.report.page import claims
from prmdata.report.score import Score
from prmdata.report.stats import Counts

MOST_PLACES = 24
"""Steps in the histogram of first errors; the last bar holds all later ones."""
FIGURES = ("exact", "exact_on_erroneous", "exact_on_correct", "f1")


@dataclass(slots=True)
class Sums:
    counts: Counts = field(default_factory=Counts)
    undecided: int = 0
    unlabelled: int = 0
    cost: Cost = Cost()
    sure: Counter[int] = field(default_factory=Counter)
    """Labels by tenths of their confidence."""
    places: Counter[int] = field(default_factory=Counter)
    true_places: Counter[int] = field(default_factory=Counter)
    pairs: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Two sources → how often they name the same first error, and how often both speak."""
    score: Score = field(default_factory=lambda: Score(with_values=False))
    others: dict[str, Score] = field(default_factory=dict)
    """Evidence by other methods, as if it were the label."""

    def add(self, trace: Trace, truth: Evidence | None, sources: dict[str, int]) -> None:
        self.counts.add(trace)
        labels = trace.labels
        self.unlabelled += labels is None
        if labels is not None:
            self.cost += labels.cost
            self.undecided += labels.undecided
            if labels.first_error is not None:
                self.places[min(labels.first_error, MOST_PLACES - 1)] += 1
            if labels.confidence is not None and labels.examined:
                self.sure[min(int(labels.confidence * 10), 9)] += 1
        names = list(sources)
        for i, one in enumerate(names):
            for other in names[:i]:
                pair = self.pairs.setdefault((other, one), [0, 0])
                pair[0] += sources[one] == sources[other]
                pair[1] += 1
        if truth is not None and trace.error is None:
            self._compare(trace, truth, sources)

    def _compare(self, trace: Trace, truth: Evidence, sources: dict[str, int]) -> None:
        first = truth.first_wrong
        if first is not None:
            self.true_places[min(first, MOST_PLACES - 1)] += 1
        self.score.add(trace, truth)
        for evidence in trace.evidence:
            if evidence.kind == "truth" or (trace.labels and evidence.name == trace.labels.by):
                continue
            claim = sources.get(evidence.name, claims.SILENT)
            silent = (None,) * len(trace.steps) if claim == claims.SILENT else ()
            made = Labels(evidence.name, claim if claim >= 0 else None, silent, cost=evidence.cost)
            score = self.others.setdefault(evidence.name, Score(with_values=False))
            score.add(replace(trace, labels=made), truth)

    def figures(self) -> dict[str, object]:
        trust = self.counts.trust
        return {
            "counts": self.counts.figures(),
            "undecided": self.undecided,
            "unlabelled": self.unlabelled,
            "cost": {name: getattr(self.cost, name) for name in Cost.__slots__},
            "expected_exact": trust.expected_exact,
            "trust": trust.as_dict() if trust.traces else None,
            "warnings": trust.warnings(),
            "confidence": [self.sure[tenth] for tenth in range(10)],
            "places": _bars(self.places),
            "true_places": _bars(self.true_places),
            "pairs": [[*names, *counts] for names, counts in self.pairs.items()],
            "score": self._scored(),
            "methods": self._methods(),
        }

    def _scored(self) -> dict[str, object] | None:
        score = self.score
        if not score.labelled:
            return None
        confidences = score.confidences
        return {
            **_figures(score),
            "traces": score.traces,
            "unknown": score.truth_incomplete,
            "calibration_error": calibration_error(confidences),
            "reliability": [[b.traces, b.confidence, b.exact] for b in reliability(confidences)],
        }

    def _methods(self) -> list[dict[str, object]]:
        """Points of the cost–F1 plot."""
        own = "+".join(self.counts.labelled) or "labels"
        scores = {own: self.score, **self.others}
        return [
            {"name": name, "own": name == own, **_figures(score)}
            for name, score in scores.items()
            if score.labelled
        ]


def _figures(score: Score) -> dict[str, object]:
    figures = score.figures(intervals=False)
    return {
        **{name: figures[name] for name in FIGURES},
        "exact_interval": exact_interval(score),
        "of": len(score.sample.hit),
        "undecided": score.undecided,
        "tokens_per_trace": figures["tokens_per_trace"],
    }


def exact_interval(score: Score) -> tuple[float, float]:
    """95 % of the share of exact labels; traces of one problem count as a cluster."""
    hits: Counter[int] = Counter()
    of: Counter[int] = Counter(score.sample.problem)
    for problem, hit in zip(score.sample.problem, score.sample.hit, strict=True):
        hits[problem] += hit
    return clustered_wilson([(hits[problem], count) for problem, count in of.items()])


def _bars(places: Counter[int]) -> list[int]:
    return [places[place] for place in range(max(places, default=-1) + 1)]
