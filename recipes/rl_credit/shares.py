"""Shares of right answers with their intervals, and a table's place in a README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RESAMPLED = 4000


@dataclass(frozen=True)
class Share:
    mean: float
    low: float
    high: float
    """The 95 % interval, drawing problems anew."""
    seeds: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def by_seed(self) -> str:
        return ", ".join(f"{seed:.3f}" for seed in self.seeds)


def share(right: Sequence[Sequence[float]]) -> Share:
    """Of right answers: for each seed, that of each problem."""
    table = np.array(right, dtype=float)
    per_problem = table.mean(0)
    chance = np.random.default_rng(0)
    drawn = chance.integers(len(per_problem), size=(RESAMPLED, len(per_problem)))
    low, high = np.quantile(per_problem[drawn].mean(1), [0.025, 0.975])
    return Share(float(table.mean()), float(low), float(high), tuple(table.mean(1).tolist()))


def write_into(page: Path, text: str) -> None:
    begin, end = "<!-- table -->", "<!-- end of table -->"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
