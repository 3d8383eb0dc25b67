"""Where the first wrong step is, from the probabilities of verdicts (after uPRM, arXiv 2605.10158).

A model reads the trace once, with "right" written after every step, and is asked in each of these
places how likely "wrong" would have been. That is the whole joint distribution of the first wrong
step: P(f) = P(wrong at f) · Π over the steps before it of P(right), each given that all before it
were called right. No rollouts, no answers, no labels, and nothing is generated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.labellers.certainty import read_once
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.verdicts import Judged, judged
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class FirstError:
    """Take it with a model that can judge, where it is to read and not to write: one reading a
    trace. The judge is `--sampler`, and need not be the model that wrote the traces.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores", "siblings")

    right: str = "right"
    wrong: str = "wrong"
    """The two verdicts: words whose first tokens differ."""
    wrong_share: float | None = None
    """The share of steps that are wrong, about. The verdicts of a problem's traces are then moved
    together until their mean is this: a judge that calls everything right, or everything wrong,
    still tells which step it doubts most. Default: they stay as they are."""

    def __post_init__(self) -> None:
        if self.wrong_share is not None and not 0 < self.wrong_share < 1:
            raise UsageError(f"--set wrong_share={self.wrong_share:g}: must be between 0 and 1")
        if not self.right.strip() or self.right.split()[:1] == self.wrong.split()[:1]:
            raise UsageError("first-error: right and wrong must be words that begin differently")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        found: dict[str, Judged] = {}

        async def read(trace: Trace) -> Trace:
            found[trace.id] = await judged(rollouts, trace, self.right, self.wrong)
            return trace

        made = await each(group, read)
        odds = [odd for one in found.values() for odd in one.odds]
        shift = 0.0 if self.wrong_share is None else shift_to(odds, self.wrong_share)
        return [
            self._valued(trace, found[trace.id], shift, rollouts) if trace.id in found else trace
            for trace in made
        ]

    def _valued(self, trace: Trace, verdicts: Judged, shift: float, rollouts: Rollouts) -> Trace:
        right = [1 / (1 + math.exp(min(odds + shift, 700.0))) for odds in verdicts.odds]
        still = list(accumulate(right, mul))
        wrong_here = [before - after for before, after in zip([1.0, *still], still, strict=False)]
        return trace.with_evidence(
            Evidence(
                name="first-error",
                kind="scores",
                values=tuple(still),
                notes=tuple(f"first wrong step: {p:.3f}" for p in wrong_here),
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return read_once(trace) + Cost(scored=8 * len(trace.steps))


def shift_to(odds: Sequence[float], share: float) -> float:
    """What is added to all log-odds of "wrong" so that their mean probability is the share."""
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = sum(1 / (1 + math.exp(-max(min(odd + middle, 700), -700))) for odd in odds)
        if mean < share * len(odds):
            low = middle
        else:
            high = middle
    return (low + high) / 2
