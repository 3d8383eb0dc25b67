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


def too_long(taken: int, context: int) -> str:
    """Why a request can never succeed."""
    return f"the prefix takes {taken:,} tokens of a context of {context:,}; nothing can follow it"


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

    async def score(self, prefix: str, text: str) -> list[float]:
        """The log-probability of each token of `text` after `prefix`."""
        ...

    async def close(self) -> None: ...
