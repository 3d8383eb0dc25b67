"""Labels from evidence that is already there: the first step whose value is not above a threshold.

No sampler. Verdicts read as values: right 1, wrong 0. An unknown step is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.errors import ItemError, UsageError
from prmdata.labellers.contract import Need, Verb, each
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Threshold:
    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """The name of the evidence to decide from; empty: the last that was added."""
    threshold: float = 0.0
    """A step is right when its value is above this. 0 is the hard reading of rollouts: any hit."""

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            evidence = evidence_of(trace, self.evidence)
            values = step_values(evidence)
            labels = Labels(
                by="threshold",
                first_error=first_wrong(values, self.threshold),
                values=values,
                examined=any(value is not None for value in values),
                settings={**settings_of(self), "evidence": evidence.name},
                cost=evidence.cost,
            )
            return replace(trace, labels=labels)

        return await each(group, one)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()


def evidence_of(trace: Trace, name: str) -> Evidence:
    """The evidence of that name; the last that was added, where it is empty."""
    usable = [e for e in trace.evidence if name in ("", e.name)]
    if not usable:
        has = ", ".join(e.name for e in trace.evidence) or "none"
        asked = f"'{name}'" if name else "to decide from"
        raise ItemError(
            f"trace {trace.id} has no evidence {asked} (it has: {has}); "
            "run `prmdata estimate` on it first"
        )
    return usable[-1]


def first_wrong(values: Sequence[float | None], threshold: float) -> int | None:
    """The first step whose value is known and not above the threshold."""
    return next((i for i, v in enumerate(values) if v is not None and v <= threshold), None)


def step_values(evidence: Evidence) -> tuple[float | None, ...]:
    if evidence.values:
        return evidence.values
    reading = {"right": 1.0, "wrong": 0.0}
    return tuple(reading.get(verdict or "") for verdict in evidence.verdicts)
