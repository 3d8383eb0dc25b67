"""The least reward from a step on: a chain is as good as its worst step (PURE, arXiv 2504.15275).

Summed rewards pay for further steps, so a policy learns to add empty ones; a least reward never
grows by adding steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.credit.contract import Common, Kind, Series, Signal
from prmdata.credit.sum import Missing, filled, returns
from prmdata.records import Trace
from prmdata.settings import Amount


@dataclass(frozen=True, slots=True)
class Min(Common):
    prefers: ClassVar[Kind] = "rewards"

    temperature: Amount = 0.0
    """Above 0: rewards are weighted by exp(-reward/temperature), so that their sum from a step on
    approaches the least of them, and steps after the worst one earn about nothing (PURE: 0.1)."""
    missing: Missing = "unknown"
    """An unknown reward leaves the credit of the steps up to it unknown, or counts as 0."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        return [self.credit(filled(signal.series, self.missing)) for signal in signals]

    def credit(self, rewards: Series) -> Series:
        if not self.temperature:
            return returns(rewards, min)
        return returns(softened(rewards, self.temperature), lambda reward, later: reward + later)


def softened(rewards: Series, temperature: float) -> Series:
    """Rewards with weights that sum to 1, the most on the least; unknown where any is unknown."""
    known = [reward for reward in rewards if reward is not None]
    if len(known) < len(rewards):
        return (None,) * len(rewards)
    least = min(known)
    weights = [math.exp((least - reward) / temperature) for reward in known]
    return tuple(r * w / sum(weights) for r, w in zip(known, weights, strict=True))
