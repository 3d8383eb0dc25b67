"""Every prefix carries the outcome of its trace: value-model data, without a rollout (OVM)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import Need, Verb
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """Take it for value models, and as a baseline that costs nothing."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ()

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return [self._of(trace) for trace in group]

    def _of(self, trace: Trace) -> Trace:
        value = None if trace.correct is None else float(trace.correct)
        return trace.with_evidence(
            Evidence(
                name="outcome",
                kind="scores",
                values=(value,) * len(trace.steps),
                settings=settings_of(self),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
