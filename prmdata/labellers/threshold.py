"""Labels from evidence that is already there: the first step whose value is not above a threshold.

No sampler. Verdicts and the decisions of searches read as values: right 1, wrong 0. An unknown step
is passed over. `evidence/reading.py` says how several pieces of evidence become one value a step.
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
class Threshold:
    """Take it after `verify` or `estimate`, to turn their evidence into labels."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """The names of the evidence to decide from, as in `arithmetic+algebra`; empty: all evidence of
    the kind (verdicts, rollouts or scores) that was added last."""
    threshold: float = 0.0
    """A step is right when its value is above this. 0 is the hard reading of rollouts: any hit."""

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return label_each(group, self.label)

    def label(self, trace: Trace) -> Trace:
        reading = read(trace, names_in(self.evidence))
        labels = Labels(
            by="threshold",
            first_error=reading.first_wrong(self.threshold),
            values=reading.values,
            examined=reading.examined,
            settings={**settings_of(self), "evidence": reading.names},
            cost=reading.cost,
        )
        return replace(trace, labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
