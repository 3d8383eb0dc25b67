"""What every sampler can do. A stage knows this file and never which sampler it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from prmdata.sampler.models.rendering import ChatTemplate

SEED_SPACING = 1 << 16
"""Seeds handed to `complete` are multiples of this: sample i of a call is drawn with seed + i."""


@dataclass(frozen=True, slots=True)
class Sampling:
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    """0: off."""
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    """Generation ends where one of these appears; the string itself is not part of the text."""
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    tokens: int
    """Generated tokens, the end-of-sequence token included."""
    finish: Literal["stop", "length"]
    logprobs: tuple[float, ...] | None = None
    """Of each generated token, at temperature 1 over the whole vocabulary."""


Likely = tuple[tuple[str, float], ...]
"""Tokens, as text, with their log-probabilities; the likeliest first."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model makes of a given text, token by token."""

    logprobs: tuple[float, ...]
    """Of each token, at temperature 1 over the whole vocabulary."""
    starts: tuple[int, ...]
    """Where in the text each token begins, in characters."""
    read: int
    """Tokens read, those of the prefix included."""
    straddles: bool = False
    """The first token begins before the text does, and is scored with what stands there."""
    top: tuple[Likely, ...] = ()
    """The likeliest tokens in each place, as many as were asked for."""
    entropies: tuple[float, ...] = ()
    """Of the next token in each place, in nats; where `top` was asked for."""
    certainties: tuple[float, ...] = ()
    """How far each place is from a uniform guess: −mean log(V·p) over the V tokens there are
    (arXiv 2502.18581). Empty where the engine shows the likeliest tokens alone; the entropies are
    then those of the likeliest, scaled to sum to one."""

    @property
    def total(self) -> float:
        """The log-probability of the whole text."""
        return sum(self.logprobs)


LOWEST = -1e4
"""In the place of minus infinity, which no file of ours holds."""
MOST_LIKELY = 20
"""Servers show no more tokens of a place than this."""


def too_long(taken: int, context: int) -> str:
    """Why a request can never succeed."""
    return f"the prefix takes {taken:,} tokens of a context of {context:,}; nothing can follow it"


def too_long_to_score(taken: int, context: int) -> str:
    return f"{taken:,} tokens to score do not fit a context of {context:,}"


NO_PREFIX = "the first token of a text has no probability; give a longer prefix"


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in pieces; at the end of some of them a reward model is asked what it thinks."""

    pieces: tuple[str, ...]
    marks: tuple[int, ...]
    """These pieces, by number: what counts is said at the last token of each."""
    apart: bool = False
    """Every piece becomes tokens by itself, as some trainers cut them; else all as one text."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What a reward model thinks at each mark."""

    rows: tuple[tuple[float, ...], ...]
    """A number for each class, as the server gives them."""
    read: int
    """Tokens."""


@runtime_checkable
class Sampler(Protocol):
    """A model that continues text.

    `complete` continues `prefix` token for token (no special token is added), n times;
    sample i depends on (prefix, sampling, seed + i) alone, so any contiguous range of samples
    is one call. Cancelling the awaiting task aborts its sequences. A request that can never
    succeed (too long) raises `ItemError`; a sampler that is lost raises `SamplerError`.
    """

    spec: str
    """How the user named it."""
    fingerprint: str
    """Changes when the same request could give another answer: weights, tokenizer, dtype."""
    template: ChatTemplate
    context: int
    """The longest sequence, in tokens."""

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]: ...

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        """What the model makes of `text` after `prefix`, read as one text; with the `top` likeliest
        tokens of each place. Nothing is generated."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Unsure(Protocol):
    """A sampler that may turn out unable to score a given text: servers differ."""

    async def check_scoring(self) -> None:
        """Raise `SamplerError`, which names what cannot, before a run pays for anything."""
        ...


@runtime_checkable
class Rates(Protocol):
    """A reward model, or what may stand before one."""

    @property
    def rates(self) -> bool:
        """Whether it is one. Then it writes nothing and scores no text."""
        ...

    async def rate(self, marked: Marked) -> Rated: ...
