"""How much better a step is than its siblings: those that follow exactly the same text.

A step without siblings earns 0: nothing is known of what else could have been done there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.credit.contract import Common, Kind, Series, Signal, normalised
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Group(Common):
    prefers: ClassVar[Kind] = "rewards"

    scale: bool = False
    """Whether to divide by the deviation of the siblings."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        siblings: dict[str, list[float]] = {}
        for trace, signal in zip(group, signals, strict=True):
            for step, reward in enumerate(signal.series):
                if reward is not None:
                    siblings.setdefault(trace.prefix(step), []).append(reward)
        return [
            tuple(
                normalised(reward, siblings.get(trace.prefix(step), ()), self.scale)
                for step, reward in enumerate(signal.series)
            )
            for trace, signal in zip(group, signals, strict=True)
        ]
