"""Labels only where two voices find the same first error (consensus filtering of the Qwen PRM
work, arXiv 2501.07301); where they do not, the values are unknown.

A voice is one piece of evidence, or several that `evidence/reading.py` combines. One that says
nothing of any step agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.labellers.contract import Need, Verb, decided
from prmdata.labellers.evidence.reading import (
    Reading,
    label_each,
    names_in,
    read,
    read_last_two_kinds,
)
from prmdata.records import Cost, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Consensus:
    """Take it for fewer but more reliable labels, where tools and rollouts have both been run."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """The voices, separated by commas: `posterior,arithmetic+algebra` are two, of which the second
    combines two verifiers. Empty: the evidence of the kind added last, and of the kind before."""
    threshold: float = 0.0
    """A step is right when its value is above this."""

    def __post_init__(self) -> None:
        if self.evidence and (len(self._voices) < 2 or not all(self._voices)):
            raise UsageError(
                f"evidence={self.evidence}: consensus needs two voices or more, separated by "
                "commas, as in evidence=mc,arithmetic"
            )
        if not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    @property
    def _voices(self) -> list[list[str]]:
        return [names_in(voice) for voice in self.evidence.split(",")]

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return label_each(group, self.label)

    def label(self, trace: Trace) -> Trace:
        voices = self._readings(trace)
        first, *others = [voice.first_wrong(self.threshold) for voice in voices]
        agreed = not any(voice.silent for voice in voices) and others == [first] * len(others)
        labelled = decided(trace, self, "consensus", first) if agreed else self._open(trace)
        assert labelled.labels is not None
        labels = replace(
            labelled.labels,
            examined=agreed and all(voice.examined for voice in voices),
            settings={**settings_of(self), "evidence": ",".join(v.names for v in voices)},
            cost=sum((voice.cost for voice in voices), Cost()),
        )
        return replace(labelled, labels=labels)

    def _readings(self, trace: Trace) -> Sequence[Reading]:
        if self.evidence:
            return [read(trace, names) for names in self._voices]
        return read_last_two_kinds(trace)

    def _open(self, trace: Trace) -> Trace:
        labels = Labels(by="consensus", values=(None,) * len(trace.steps), examined=False)
        return replace(trace, labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
