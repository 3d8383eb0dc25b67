"""What labels believe of themselves, added up: how often they expect to be exact, and where not."""

from __future__ import annotations

from dataclasses import dataclass

from prmdata.records import Trace

FEW = 20
"""Traces of which too little is known to warn."""
OFTEN = 0.3
SELDOM_EXACT = 0.6


@dataclass(slots=True)
class Trust:
    """Counts over the traces that were looked into and whose labels have a confidence."""

    traces: int = 0
    confidence: float = 0.0
    """Sum over them."""
    unsure: int = 0
    """Confidence below .5."""
    doubted: int = 0
    """The answer is wrong, but most likely no step is: the reference answer may be."""
    searched: bool = False
    """Some were found by a search that has a price."""
    never_hit: int = 0
    """Traces that end wrong and of whose problem no rollout and no other trace ends right."""

    def add(self, trace: Trace) -> None:
        labels = trace.labels
        if labels is None or labels.confidence is None or not labels.examined:
            return
        self.traces += 1
        self.confidence += labels.confidence
        self.unsure += labels.confidence < 0.5
        self.searched |= "bits_per_1000_tokens" in labels.settings
        if trace.correct is False:
            self.doubted += labels.first_error is None
            self.never_hit += not _ever_right(trace)

    @property
    def expected_exact(self) -> float | None:
        """The share of first errors that the labels themselves expect to be exact."""
        return self.confidence / self.traces if self.traces else None

    def as_dict(self) -> dict[str, float | int | None]:
        expected = self.expected_exact
        return {
            "expected_exact": None if expected is None else round(expected, 4),
            "unsure": self.unsure,
            "gold_doubted": self.doubted,
            "never_hit": self.never_hit,
        }

    def line(self) -> str | None:
        """For the closing line: what to expect of these labels."""
        expected = self.expected_exact
        if expected is None:
            return None
        line = f"{expected:.0%} of first errors expected exact"
        if self.unsure:
            line += f", {self.unsure:,} below .5"
        if self.doubted:
            line += f", {self.doubted:,} with no wrong step found"
        return line

    def warnings(self) -> list[str]:
        found = []
        if self.traces >= FEW and self.never_hit > OFTEN * self.traces:
            found.append(
                f"nothing ends right for {self.never_hit:,} of {self.traces:,} traces, neither "
                "their rollouts nor their problems' other traces: the sampler is too weak for "
                "these problems, or their reference answers are wrong; such labels are little "
                "more than guesses, and their confidence says so"
            )
        expected = self.expected_exact
        if expected is not None and self.traces >= FEW and expected < SELDOM_EXACT:
            raised = "raise the budget (a lower --set bits_per_1000_tokens), "
            raised = raised if self.searched else ""
            found.append(
                f"the labels expect to be exact on {expected:.0%} only: {raised}add evidence "
                "(prmdata verify, prmdata judge), or export the surest (--min-confidence); prmdata "
                "audit measures how often they are"
            )
        return found


def _ever_right(trace: Trace) -> bool:
    tally = trace.group
    hits = (hit for evidence in trace.evidence for hit in evidence.hits)
    return bool(tally and tally.right) or any(hit for hit in hits if hit)
