"""Labels only where two kinds of evidence find the same first error (consensus filtering of the
Qwen PRM work, arXiv 2501.07301); where they do not, the values are unknown.

Evidence that says nothing of any step agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.errors import ItemError, UsageError
from prmdata.labellers.contract import Need, Verb, decided, each
from prmdata.labellers.threshold import evidence_of, first_wrong, step_values
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Consensus:
    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """Two names, as in `mc,arithmetic`; empty: the last added, and the last of another kind."""
    threshold: float = 0.0
    """A step is right when its value is above this."""

    def __post_init__(self) -> None:
        if self.evidence and len(self._names) != 2:
            raise UsageError(f"evidence {self.evidence}: name two, as in evidence=mc,arithmetic")
        if not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    @property
    def _names(self) -> list[str]:
        return [name.strip() for name in self.evidence.split(",") if name.strip()]

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            pair = self._pair(trace)
            read = [step_values(evidence) for evidence in pair]
            found = [first_wrong(values, self.threshold) for values in read]
            spoke = all(any(value is not None for value in values) for values in read)
            agreed = spoke and found[0] == found[1]
            made = decided(trace, self, "consensus", found[0]) if agreed else self._open(trace)
            assert made.labels is not None
            names = ",".join(evidence.name for evidence in pair)
            settings = {**made.labels.settings, "evidence": names}
            cost = pair[0].cost + pair[1].cost
            return replace(made, labels=replace(made.labels, settings=settings, cost=cost))

        return await each(group, one)

    def _pair(self, trace: Trace) -> tuple[Evidence, Evidence]:
        if self.evidence:
            one, other = (evidence_of(trace, name) for name in self._names)
            return one, other
        last = evidence_of(trace, "")
        others = [e for e in trace.evidence if e.kind != last.kind]
        if not others:
            raise ItemError(
                f"trace {trace.id} has only one kind of evidence ({last.kind}, by {last.name}); "
                "add another with `prmdata verify` or `prmdata estimate`, or name two: "
                "--set evidence=mc,arithmetic"
            )
        return last, others[-1]

    def _open(self, trace: Trace) -> Trace:
        labels = Labels(
            by="consensus",
            values=(None,) * len(trace.steps),
            examined=False,
            settings=settings_of(self),
        )
        return replace(trace, labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
