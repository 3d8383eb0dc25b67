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
    """The value before the first step. None: the problem's pass rate, of the traces at hand where
    it was not counted; or 1 for the labels' values, which are the belief that no step is wrong.
    Where it is unknown, so is the first credit."""

    def apply(self, group: Sequence[Trace], signals: Sequence[Signal]) -> list[Series]:
        ended = [trace.correct for trace in group if trace.correct is not None]
        at_hand = sum(ended) / len(ended) if len(ended) > 1 else None
        return [self.credit(signal, at_hand) for signal in signals]

    def credit(self, signal: Signal, at_hand: float | None = None) -> Series:
        known = (start for start in (self.start, signal.start, at_hand) if start is not None)
        return differences(next(known, None), signal.series)


def differences(start: float | None, values: Series) -> Series:
    return tuple(
        None if before is None or after is None else after - before
        for before, after in itertools.pairwise((start, *values))
    )
