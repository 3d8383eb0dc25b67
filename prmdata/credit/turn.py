"""How much better a step is than the steps with the same number in the problem's other traces.

For dialogues and tools, where the third turn of one trace answers to the third of another (MAPO,
GRPO by turns).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.credit.contract import Common, Kind, Series, Signal, normalised
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Turn(Common):
    prefers: ClassVar[Kind] = "rewards"

    scale: bool = True
    """Whether to divide by the deviation of the turn."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        return by_turn([signal.series for signal in signals], self.scale)


def by_turn(group: Sequence[Series], scale: bool) -> list[Series]:
    turns = [
        [reward for reward in column if reward is not None]
        for column in itertools.zip_longest(*group)
    ]
    return [
        tuple(normalised(r, turn, scale) for r, turn in zip(series, turns, strict=False))
        for series in group
    ]
