"""Rewards less the mean of all steps in the input, over their deviation.

The input is read twice, so it is a file. With `turns`, part of the credit is normalised among the
steps with the same number in the problem's traces (MAPO).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.credit.contract import TINY, Common, Kind, Series, Signal
from prmdata.credit.turn import by_turn
from prmdata.errors import UsageError
from prmdata.records import Trace
from prmdata.settings import Positive, Share


@dataclass(frozen=True, slots=True)
class Batch(Common):
    prefers: ClassVar[Kind] = "rewards"

    turns: Share = 0.0
    """Share of the credit that is normalised by turn and not over the batch."""
    mean: float | None = None
    """None: that of the input."""
    deviation: Positive | None = None
    """None: that of the input."""

    def fitted(self, signals: Iterable[Signal]) -> Batch:
        """With the mean and the deviation of every known reward (Welford's way)."""
        count, mean, squares = 0, 0.0, 0.0
        for reward in (r for signal in signals for r in signal.series if r is not None):
            count += 1
            before = reward - mean
            mean += before / count
            squares += before * (reward - mean)
        spread = math.sqrt(squares / count) if count else 0.0
        return replace(
            self,
            mean=mean if self.mean is None else self.mean,
            deviation=(spread if spread > TINY else 1.0)  # all alike: every credit is 0
            if self.deviation is None
            else self.deviation,
        )

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        if self.mean is None or self.deviation is None:
            raise UsageError("batch: the mean and the deviation are not known before the input is")
        own = [tuple(self._scaled(r) for r in signal.series) for signal in signals]
        turns = by_turn([signal.series for signal in signals], scale=True)
        return [tuple(map(self._mixed, one, other)) for one, other in zip(own, turns, strict=True)]

    def _scaled(self, reward: float | None) -> float | None:
        if reward is None or self.mean is None or self.deviation is None:
            return None
        return (reward - self.mean) / self.deviation

    def _mixed(self, own: float | None, turn: float | None) -> float | None:
        if own is None or turn is None:
            return None
        return (1 - self.turns) * own + self.turns * turn
