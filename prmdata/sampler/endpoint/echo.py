"""Scores of a given text from a server that repeats its prompt with log-probabilities (`echo`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prmdata.errors import SamplerError
from prmdata.sampler.models.boundary import Span
from prmdata.sampler.models.likely import likely
from prmdata.sampler.protocol import LOWEST, Likely, Scored

CANNOT = (
    "does not score given text (/v1/completions with echo and logprobs); use vLLM's server, or a "
    "method that samples only, such as anytime or mc"
)


def echoed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The log-probabilities of the one choice; empty where there are none."""
    choices = answer.get("choices") or [{}]
    return choices[0].get("logprobs") or {}


def checked(answer: Mapping[str, object], prefix: str, span: Span | None, who: str) -> None:
    """Whether these are log-probabilities of the text that was sent, in the tokens we know."""
    found = echoed(answer)
    logprobs = found.get("token_logprobs") or []
    if len(logprobs) < 2 or None in logprobs[1:]:
        raise SamplerError(f"{who} {CANNOT}")
    if span is not None:
        if len(logprobs) - len(span.ids) not in (0, 1):  # what it generates may follow
            raise SamplerError(
                f"{who} reads the text as {len(logprobs):,} tokens, and the tokenizer here as "
                f"{len(span.ids):,}: its log-probabilities are of another tokenization; name its "
                "own with --engine-arg tokenizer=…"
            )
        return
    at = found.get("text_offset") or [-1]
    whole = at[0] == 0 and at == sorted(at) and at[-1] >= len(prefix) and len(at) == len(logprobs)
    if not whole:
        raise SamplerError(f"{who} {CANNOT}")


def scored(
    answer: Mapping[str, object], prefix: str, text: str, span: Span | None, top: int
) -> Scored:
    """By our own tokens where the model's tokenizer is at hand: servers count the characters of
    half a character in ways of their own."""
    found = echoed(answer)
    logprobs = found["token_logprobs"]
    if span is None:
        places, starts, straddles = _by_offset(found["text_offset"], prefix, text)
        read = sum(1 for at in found["text_offset"] if at < len(prefix + text))
    else:
        places, starts = list(range(span.first, len(span.ids))), span.starts
        straddles, read = span.straddles, len(span.ids)
    named = found.get("top_logprobs") or [None] * len(logprobs)
    return Scored(
        tuple(max(float(logprobs[i]), LOWEST) for i in places),
        starts,
        read,
        straddles,
        *likely([_likely(named[i]) for i in places], top),
    )


def _by_offset(
    offsets: list[int], prefix: str, text: str
) -> tuple[list[int], tuple[int, ...], bool]:
    whole = len(prefix + text)
    ends = [*offsets[1:], whole + 1]
    places = [
        i
        for i, (at, end) in enumerate(zip(offsets, ends, strict=True))
        if end > len(prefix) and at < whole
    ]
    starts = tuple(max(offsets[i] - len(prefix), 0) for i in places)
    return places, starts, bool(places) and offsets[places[0]] < len(prefix)


def _likely(place: Mapping[str, float | None] | None) -> Likely:
    return tuple((token, max(p, LOWEST)) for token, p in (place or {}).items() if p is not None)
