"""Tool verdicts along the path, discounted, and the outcome in one value a step (GroundedPRM,
arXiv 2510.14942): v_i + mean over j > i of gamma^(j-i) v_j + beta F.

v is +1, -1 or 0 for right, wrong and unknown; F is +1 or -1 for how the trace ended. Evidence that
has values instead of verdicts is read as 2 value - 1. The defaults of gamma and beta are this
project's choice, not the paper's. `evidence/reading.py` says how several pieces
of evidence become one value a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.labellers.contract import Need, Verb
from prmdata.labellers.evidence.reading import label_each, names_in, read
from prmdata.records import Cost, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Take it where tools judge some of the steps and the outcome has to speak for the others."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """The names of the evidence to fuse with the outcome, as in `arithmetic+algebra`; empty: all
    evidence of the kind (verdicts, rollouts or scores) that was added last."""
    gamma: float = 0.5
    """The discount of a verdict for each step between it and the step that is valued."""
    beta: float = 0.25
    """The weight of the outcome. While gamma + beta < 1, a verdict stands for its own step, and the
    steps after it and the outcome decide the unknown ones."""

    def __post_init__(self) -> None:
        if not 0 <= self.gamma <= 1 or not self.beta >= 0:
            raise UsageError(f"gamma {self.gamma}, beta {self.beta}: gamma is in [0, 1], beta >= 0")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return label_each(group, self.label)

    def label(self, trace: Trace) -> Trace:
        reading = read(trace, names_in(self.evidence))
        fused = self.fused(reading.values, trace.correct)
        wrong = (i for i, value in enumerate(fused) if value < 0)
        undecided = reading.silent and not trace.correct
        values = tuple(None if undecided else self._as_belief(value) for value in fused)
        labels = Labels(
            by="hybrid",
            first_error=None if reading.silent else next(wrong, None),
            values=values,
            examined=reading.examined,
            settings={**settings_of(self), "evidence": reading.names},
            cost=reading.cost,
        )
        return replace(trace, labels=labels)

    def fused(self, values: Sequence[float | None], correct: bool | None) -> list[float]:
        """Above 0 where a step is right, below where it is wrong; 0 where nothing speaks of it."""
        verdicts = [0.0 if value is None else 2 * value - 1 for value in values]
        outcome = 0.0 if correct is None else self.beta * (1 if correct else -1)
        return [v + self._ahead(verdicts[i + 1 :]) + outcome for i, v in enumerate(verdicts)]

    def _ahead(self, later: Sequence[float]) -> float:
        discounted = [self.gamma**k * v for k, v in enumerate(later, start=1)]
        return sum(discounted) / len(discounted) if discounted else 0.0

    def _as_belief(self, value: float) -> float:
        """From its range, -(2 + beta) to 2 + beta, to [0, 1]."""
        return (value / (2 + self.beta) + 1) / 2

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
