"""What is seen of one trace: rollouts, counted where they left it, and what others say of its
steps."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from prmdata.labellers.belief.numbers import Counts
from prmdata.labellers.belief.signals import Signal


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout from the prefix of `start` steps, as far as the belief is concerned."""

    start: int
    repeated: int
    """Steps of the trace that it wrote again, word for word."""
    hit: bool
    same: bool = False
    """It missed with the trace's own answer."""

    @property
    def left(self) -> int:
        """The number of steps after which it left the trace."""
        return self.start + self.repeated


@dataclass(frozen=True, slots=True)
class Source:
    """What one verifier or judge says of the steps."""

    name: str
    verdicts: tuple[str | None, ...]
    tool: bool = True


@dataclass(slots=True)
class Observations:
    """All that was seen of one trace, counted. A rollout counts at the prefix where it left the
    trace."""

    steps: int
    ends_right: bool = False
    own: bool = True
    """The policy whose rollouts are counted wrote the trace."""
    sources: tuple[Source, ...] = ()
    signals: tuple[Signal, ...] = ()
    """Numbers of the steps, which count where a curve says what they are worth."""
    hits: Counts = field(default_factory=lambda: np.zeros(0, int))
    sames: Counts = field(default_factory=lambda: np.zeros(0, int))
    others: Counts = field(default_factory=lambda: np.zeros(0, int))
    """Misses with another answer than the trace's."""
    repeats: Counts = field(default_factory=lambda: np.zeros(0, int))
    """Rollouts that wrote the step after a prefix again, of those that `passed` there; the last
    step, which holds the answer, is an outcome."""
    passed: Counts = field(default_factory=lambda: np.zeros(0, int))

    def __post_init__(self) -> None:
        for name in ("hits", "sames", "others", "repeats", "passed"):
            setattr(self, name, np.zeros(self.steps, int))

    def add(self, rollout: Rollout) -> None:
        left = rollout.start + rollout.repeated
        last = self.steps - 1
        self.repeats[rollout.start : min(left, last)] += 1
        self.passed[rollout.start : min(left + 1, last)] += 1
        if left > last:  # the whole trace again: that it ends alike is an outcome, not a repetition
            column = self.hits if self.ends_right else self.sames
        else:
            column = self.hits if rollout.hit else self.sames if rollout.same else self.others
        column[min(left, last)] += 1

    def add_all(self, rollouts: Iterable[Rollout]) -> None:
        for rollout in rollouts:
            self.add(rollout)

    def add_tally(self, right: int, same: int, other: int) -> None:
        """Outcomes of the question alone whose texts are not at hand."""
        self.hits[0] += right
        self.sames[0] += same
        self.others[0] += other

    def copy(self) -> Observations:
        other = copy(self)
        for name in ("hits", "sames", "others", "repeats", "passed"):
            setattr(other, name, getattr(self, name).copy())
        return other
