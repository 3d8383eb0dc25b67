"""What a batch needs of a network, on torch or numpy; its tensors are the network's own affair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from prmdata.sampler.local.scoring import Places
from prmdata.sampler.local.sequences import Draws


class Block(Protocol):
    """Some tokens of a prompt, computed."""


class Prompt(Protocol):
    """A whole prompt, computed."""

    @property
    def length(self) -> int: ...


class Cache(Protocol):
    """The sequences that run, one a row."""

    def fit(self, rows: int, longest: int, used: int) -> None:
        """Room for `rows` sequences of up to `longest` tokens; the first `used` rows are kept."""
        ...

    def move(self, source: int, target: int, length: int) -> None: ...

    def put(self, row: int, prompt: Any) -> None: ...


class Network(Protocol):
    stride: int
    """Tokens of a whole block."""
    fewest_rows: int
    """That are computed in a step."""

    @property
    def context(self) -> int: ...

    def cache(self) -> Cache: ...

    def blocks(self, asked: Sequence[tuple[Sequence[int], Sequence[Any]]]) -> Sequence[object]:
        """At most `stride` tokens each, after equally many whole blocks each."""
        ...

    def prompts(self, parts: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Each out of its blocks."""
        ...

    def places(self, blocks: Sequence[Any], ids: Sequence[int], first: int, top: int) -> Places:
        """What it thinks of each token from `first` on, given those before it."""
        ...

    def joined(self, prompts: Sequence[Any]) -> object:
        """The logits after each prompt."""
        ...

    def step(self, ids: Sequence[int], positions: Sequence[int], cache: Any) -> Any:
        """One token further for the first rows of the cache; the logits after it."""
        ...

    def draw(self, logits_BV: Any, draws: Draws) -> tuple[list[int], list[float]]:
        """A token a row, and the log-probabilities that are wanted."""
        ...
