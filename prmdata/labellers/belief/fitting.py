"""A world from a pilot: what makes the pilot's rollouts most likely, with the defaults as prior.

The first errors stay unknown: every likelihood is summed over them. Grids of weights are fitted
by expectation and maximisation, the other figures one at a time, uphill.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prmdata.labellers.belief.chances import Array
from prmdata.labellers.belief.model import Belief, Known, Seen
from prmdata.labellers.belief.prior import PLACES, World

PRIOR_TRACES = 10.0
"""How many traces the default weights of a grid are worth."""
SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Pilot:
    """What was seen of one trace."""

    known: Known
    rollouts: tuple[Seen, ...]

    def belief(self, world: World) -> Belief:
        belief = Belief(world, self.known)
        belief.see_all(self.rollouts)
        return belief


def fit(pilots: Sequence[Pilot], tell: Callable[[str], None] = lambda line: None) -> World:
    """The world that a pilot speaks for. `tell` hears of the progress."""
    world = World()
    found = [Scale.of(world, *scale) for scale in SCALES]
    steps = [0.5] * len(found)
    start = tuple(scale.at for scale in found)
    for sweep in range(SWEEPS):
        world = weighed(world, pilots)
        best = likelihood(world, pilots) - _strain(found, start)
        for index, scale in enumerate(found):
            for direction in (1, -1):
                moved = replace(scale, at=scale.at + direction * steps[index])
                tried = moved.put(world)
                trial = [*found[:index], moved, *found[index + 1 :]]
                score = likelihood(tried, pilots) - _strain(trial, start)
                if score > best:
                    world, best, found = tried, score, trial
                    steps[index] *= 1.5
                    break
            else:
                steps[index] /= 2
        tell(f"fit: sweep {sweep + 1} of {SWEEPS}, {best / max(len(pilots), 1):.3f} nats a trace")
    return weighed(world, pilots)


def likelihood(world: World, pilots: Sequence[Pilot]) -> float:
    return sum(pilot.belief(world).log_evidence() for pilot in pilots)


def weighed(world: World, pilots: Sequence[Pilot]) -> World:
    """One step of expectation and maximisation for all that is a table of weights."""
    default = World()
    place, recovery, repeat, detection = (
        PRIOR_TRACES * np.asarray(weights) / sum(weights)
        for weights in (default.place, default.recovery, default.repeat, default.detection)
    )
    for pilot in pilots:
        belief = pilot.belief(world)
        T = belief.steps
        places = belief.posterior()
        recoveries, repeats = belief.unknowns()
        recovery += places @ recoveries
        repeat += places @ repeats
        bins = np.minimum(((np.arange(T) + 0.5) / T * PLACES).astype(int), PLACES - 1)
        np.add.at(place, bins, places[:T])
        for found in pilot.known.detections:
            at = places[found - 1]
            early = places[found:].sum()  # the verdict came before the error
            detection += [at, max(1 - at - early, 0.0), early]
    exact, late, early = detection / detection.sum()
    return replace(
        world,
        place=_shares(place),
        recovery=_shares(recovery),
        repeat=_shares(repeat),
        detection=(float(exact), float(late), float(early)),
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """One figure of the world, on a scale on which it may take any value."""

    name: str
    index: int | None
    kind: str
    at: float

    @classmethod
    def of(cls, world: World, name: str, index: int | None, kind: str) -> Scale:
        value = getattr(world, name)
        return cls(name, index, kind, TO[kind](value if index is None else value[index]))

    def put(self, world: World) -> World:
        value: Any = FROM[self.kind](self.at)
        if self.index is not None:
            whole = getattr(world, self.name)
            value = (*whole[: self.index], value, *whole[self.index + 1 :])
        return replace(world, **{self.name: value})


TO: dict[str, Callable[[float], float]] = {
    "any": lambda x: x,
    "positive": math.log,
    "share": lambda x: math.log(x / (1 - x)),
}
FROM: dict[str, Callable[[float], float]] = {
    "any": lambda x: x,
    "positive": lambda x: math.exp(min(max(x, -5.0), 5.0)),
    "share": lambda x: 1 / (1 + math.exp(-min(max(x, -6.0), 6.0))),
}
SCALES: tuple[tuple[str, int | None, str], ...] = (
    ("spread", None, "positive"),
    ("drift", None, "any"),
    ("steadiness", None, "positive"),
    ("fading", None, "positive"),
    ("same_before", 0, "positive"),
    ("same_before", 2, "any"),
    ("same_after", 0, "share"),
    ("same_steadiness", 0, "positive"),
    ("same_steadiness", 1, "positive"),
    ("repeat_error", None, "share"),
    ("repeat_steadiness", None, "positive"),
    ("second", None, "share"),
)


def _strain(scales: Sequence[Scale], start: Sequence[float]) -> float:
    """The log of a normal prior around the defaults, one unit wide."""
    return 0.5 * sum((s.at - at) ** 2 for s, at in zip(scales, start, strict=True))


def _shares(weights: Array) -> tuple[float, ...]:
    return tuple(float(w) for w in weights / weights.sum())
