"""Labels only where voices find the same first error (consensus filtering of the Qwen PRM work,
arXiv 2501.07301): all of them, or `agree` of them; where they do not, the values are unknown.

A voice is one piece of evidence, or several that `evidence/reading.py` combines. One that says
nothing of any step agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

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
from prmdata.settings import Whole, settings_of


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
    agree: Whole = 0
    """How many voices must find the same, of those that are named; 0: all of them. More than half,
    so that only one finding can have them."""
    at: Literal["step", "verdict"] = "step"
    """What they must agree on: the first wrong step, or only whether there is one. With `verdict`
    the earliest step that any of them names is the first wrong one."""

    def __post_init__(self) -> None:
        if self.evidence and (len(self._voices) < 2 or not all(self._voices)):
            raise UsageError(
                f"evidence={self.evidence}: consensus needs two voices or more, separated by "
                "commas, as in evidence=mc,arithmetic"
            )
        voices = len(self._voices) if self.evidence else 2
        if self.agree and not voices / 2 < self.agree <= voices:
            raise UsageError(
                f"agree={self.agree}: of {voices} voices, more than half and at most all must agree"
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
        agreeing = self._agreeing(voices)
        agreed = len(agreeing) >= (self.agree or len(voices))
        firsts = [voice.first_wrong(self.threshold) for voice in agreeing]
        first = min((f for f in firsts if f is not None), default=None)
        labelled = decided(trace, self, "consensus", first) if agreed else self._open(trace)
        assert labelled.labels is not None
        labels = replace(
            labelled.labels,
            examined=agreed and all(voice.examined for voice in agreeing),
            settings={**settings_of(self), "evidence": ",".join(v.names for v in voices)},
            cost=sum((voice.cost for voice in voices), Cost()),
        )
        return replace(labelled, labels=labels)

    def _agreeing(self, voices: Sequence[Reading]) -> list[Reading]:
        """The most voices that find the same; one that says nothing agrees with nothing."""
        found: dict[object, list[Reading]] = {}
        for voice in voices:
            if not voice.silent:
                first = voice.first_wrong(self.threshold)
                finding = first if self.at == "step" else first is None
                found.setdefault(finding, []).append(voice)
        return max(found.values(), key=len, default=[])

    def _readings(self, trace: Trace) -> Sequence[Reading]:
        if self.evidence:
            return [read(trace, names) for names in self._voices]
        return read_last_two_kinds(trace)

    def _open(self, trace: Trace) -> Trace:
        labels = Labels(by="consensus", values=(None,) * len(trace.steps), examined=False)
        return replace(trace, labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
