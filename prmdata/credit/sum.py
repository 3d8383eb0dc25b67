"""The discounted sum of the rewards from a step on: the return of reinforcement learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from prmdata.credit.contract import Common, Kind, Series, Signal
from prmdata.records import Trace
from prmdata.settings import Share

Missing = Literal["unknown", "zero"]


@dataclass(frozen=True, slots=True)
class Sum(Common):
    prefers: ClassVar[Kind] = "rewards"

    gamma: Share = 1.0
    """The discount for each step."""
    missing: Missing = "unknown"
    """An unknown reward leaves the credit of the steps up to it unknown, or counts as 0."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        return [self.credit(filled(signal.series, self.missing)) for signal in signals]

    def credit(self, rewards: Series) -> Series:
        return returns(rewards, lambda reward, later: reward + self.gamma * later)


def filled(rewards: Series, missing: Missing) -> Series:
    if missing == "unknown":
        return rewards
    return tuple(0.0 if reward is None else reward for reward in rewards)


def returns(rewards: Series, joined: Callable[[float, float], float]) -> Series:
    """From the last step to the first: its reward joined with what comes after it."""
    made: list[float | None] = []
    for place, reward in enumerate(reversed(rewards)):
        later = made[-1] if place else 0.0
        if reward is None or later is None:
            made.append(None)
        else:
            made.append(joined(reward, later) if place else reward)
    return tuple(reversed(made))
