"""Given text on its way through the model: what is asked of each place, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROWS = 256
"""Places whose logits are held at a time: of a large vocabulary each takes a megabyte."""


@dataclass(eq=False)
class Text:
    """One call of `score`."""

    ids: list[int]
    first: int
    """The first token whose probability is asked for, from 1."""
    top: int
    resolve: Callable[[Any], None]
    cancelled: bool = False


@dataclass(eq=False)
class Places:
    """What the model thinks in each place, from the first that was asked for."""

    logprobs: list[float] = field(default_factory=list)
    top: list[list[tuple[int, float]]] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    certainties: list[float] = field(default_factory=list)
