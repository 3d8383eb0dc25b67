"""What is known of a policy before any rollout of a trace is seen; `prmdata fit` measures it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from prmdata.errors import UsageError

VALUE = np.linspace(-4, 4, 11)
"""Log-odds of a hit from the problem alone."""
RECOVERY = np.array([0.003, 0.02, 0.06, 0.12, 0.22, 0.36, 0.55])
"""The rate of hits right after an error."""
REPEAT = np.array([0.01, 0.1, 0.25, 0.45, 0.65, 0.8, 0.92])
"""The rate at which a right step is written again."""
PLACES = 8


@dataclass(frozen=True, slots=True)
class World:
    """The defaults are middling: they hold for policies that were never looked at."""

    place: tuple[float, ...] = (1 / PLACES,) * PLACES
    """Where first errors are: shares of the trace's length."""
    spread: float = 0.4
    """Deviation of a trace's log-odds from those of its problem's pass rate."""
    drift: float = 2.0
    """Rise of the log-odds of a hit over a right trace."""
    steadiness: float = 13.0
    """Rollouts that the model's rate of hits is worth at one prefix, before and after an error."""
    recovery: tuple[float, ...] = (0.45, 0.2, 0.11, 0.09, 0.08, 0.04, 0.03)
    fading: float = 0.05
    """The rate of recovery falls by this exponent a step."""
    same_before: tuple[float, float, float] = (0.5, 7.0, 0.3)
    """Of misses before the error, the share with the trace's answer: pseudo-counts, and a rise."""
    same_after: tuple[float, float] = (0.55, 0.7)
    """... and after it: right after the error, and the share of the rest gained by the end."""
    same_steadiness: tuple[float, float] = (6.5, 3.0)
    repeat: tuple[float, ...] = (1 / 7,) * 7
    repeat_error: float = 0.15
    """A wrong step is written again at this share of the rate of a right one."""
    repeat_steadiness: float = 2.0
    detection: tuple[float, float, float] = (0.7, 0.3, 0.01)
    """A verifier's first wrong step is the first error; one after it; one before it."""
    second: float = 0.25
    """Share of traces whose answer was settled by a later error than the first."""
    bits_per_1000_tokens: float | None = None
    """The price that meets the token budget that was asked for, where one was."""
    hidden: float = 0.3
    """Share of traces with an error, before it is known that the trace ends right."""

    def __post_init__(self) -> None:
        for name, grid in (("place", PLACES), ("recovery", len(RECOVERY)), ("repeat", len(REPEAT))):
            weights = getattr(self, name)
            if len(weights) != grid or min(weights) < 0 or sum(weights) <= 0:
                raise ValueError(f"{name}: {grid} weights, none below 0")


def read_world(path: str | None) -> World:
    if path is None:
        return World()
    try:
        fields = msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Any])
        if strange := fields.keys() - {field.name for field in dataclasses.fields(World)}:
            raise ValueError(f"unknown field {sorted(strange)[0]}")
        return msgspec.convert(fields, World)
    except OSError as error:
        raise UsageError(f"--set world={path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"--set world={path}: not written by `prmdata fit` ({error})") from None
