"""How much a step changes the value: V after it less V before it (TEMPO, arXiv 2509.18314).

The credits of a trace sum to its last value less its first, so no step is paid twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.credit.contract import Common, Kind, Series, Signal
from prmdata.records import Trace
from prmdata.settings import Share


@dataclass(frozen=True, slots=True)
class Td(Common):
    prefers: ClassVar[Kind] = "values"

    start: Share | None = None
    """The value before the first step. None: the problem's pass rate, or 1 for the labels' values,
    which are the belief that no step is wrong; where it is unknown, so is the first credit."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        return [self.credit(signal) for signal in signals]

    def credit(self, signal: Signal) -> Series:
        start = signal.start if self.start is None else self.start
        return differences(start, signal.series)


def differences(start: float | None, values: Series) -> Series:
    return tuple(
        None if before is None or after is None else after - before
        for before, after in itertools.pairwise((start, *values))
    )
