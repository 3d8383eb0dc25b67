"""Requests and their samples while they run: drawn token by token, each until its own end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prmdata.sampler.local.tokenizer import LEAD, TextTokenizer, cut_at
from prmdata.sampler.local.uniform import uniforms
from prmdata.sampler.protocol import Completion, Sampling


@dataclass(eq=False)
class Request:
    """One call of `complete`."""

    ids: list[int]
    n: int
    sampling: Sampling
    seed: int
    room: int
    """Tokens that may be generated."""
    resolve: Callable[[Any], None]
    begun: int = 0
    done: dict[int, Completion] = field(default_factory=dict)
    cancelled: bool = False

    def begin(self, most: int) -> list[Sequence]:
        """The next samples, at most so many."""
        numbers = range(self.begun, min(self.n, self.begun + most))
        self.begun = numbers.stop
        return [Sequence(self, number) for number in numbers]

    def take(self, number: int, completion: Completion) -> None:
        self.done[number] = completion
        if len(self.done) == self.n:
            self.resolve([self.done[i] for i in range(self.n)])


@dataclass(eq=False)
class Sequence:
    """One sample of a request, while it runs."""

    request: Request
    number: int
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    completion: Completion | None = None

    @property
    def length(self) -> int:
        return len(self.request.ids) + len(self.ids)

    def over(self, tokenizer: TextTokenizer) -> bool:
        """Whether it is to leave the batch: ended, or cancelled."""
        if not self.request.cancelled:
            self.completion = self._ending(tokenizer)
        return self.request.cancelled or self.completion is not None

    def hand_over(self) -> None:
        """To its request, once its row is free."""
        if self.completion is not None:
            self.request.take(self.number, self.completion)

    def _ending(self, tokenizer: TextTokenizer) -> Completion | None:
        request, stop = self.request, self.request.sampling.stop
        lead = request.ids[-LEAD:]
        ended = self.ids[-1] in tokenizer.ends
        stopped = not ended and tokenizer.stops(lead, self.ids, stop)
        if not ended and not stopped and len(self.ids) < request.room:
            return None
        text = tokenizer.continuation(lead, self.ids[:-1] if ended else self.ids)
        return Completion(
            text=cut_at(text, stop),
            tokens=len(self.ids),
            finish="stop" if ended or stopped else "length",
            logprobs=tuple(self.logprobs) if request.sampling.logprobs else None,
        )


@dataclass(frozen=True)
class Draws:
    """How the next token of each row is drawn."""

    uniform_B: NDArray[np.float64]
    """A number in [0, 1)."""
    temperature_B: NDArray[np.float32]
    top_p_B: NDArray[np.float32]
    top_k_B: NDArray[np.int64]
    wanted: list[int]
    """Rows whose tokens' log-probabilities are wanted."""


Draw = Callable[[Any, Draws], tuple[list[int], list[float]]]
"""Logits → a token a row, and the log-probabilities that are wanted."""


def extend(sequences: list[Sequence], logits_BV: object, draw: Draw) -> None:
    """One token more for each, drawn with its own seed."""
    asked = [s.request.sampling for s in sequences]
    seeds = np.array([(s.request.seed + s.number) % (1 << 64) for s in sequences], dtype=np.uint64)
    places = np.array([len(s.ids) for s in sequences], dtype=np.uint64)
    draws = Draws(
        uniforms(seeds, places),
        np.array([a.temperature for a in asked], dtype=np.float32),
        np.array([a.top_p for a in asked], dtype=np.float32),
        np.array([a.top_k for a in asked], dtype=np.int64),
        [row for row, a in enumerate(asked) if a.logprobs],
    )
    chosen, logprobs = draw(logits_BV, draws)
    for sequence, token in zip(sequences, chosen, strict=True):
        sequence.ids.append(token)
    for row, value in zip(draws.wanted, logprobs, strict=True):
        sequences[row].logprobs.append(value)
