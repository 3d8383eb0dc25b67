"""The embedded world's problems: `COUNT[?level=1-4&seed=S]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

from prmdata.errors import UsageError
from prmdata.records import Problem

LEVELS = (1, 2, 3, 4)


def read(rest: str, _from_rows: Callable[..., object]) -> Iterator[Problem]:
    count, _, query = rest.partition("?")
    settings = dict(parse_qsl(query))
    unknown = set(settings) - {"level", "seed"}
    if unknown:
        raise UsageError(f"abacus:{rest}: unknown {', '.join(unknown)}; it takes level and seed")
    seed = _whole(settings.get("seed", "0"), "seed", rest)
    levels = _levels(settings.get("level", "1-4"), rest)
    return _problems(_whole(count, "count", rest), seed, levels)


def count_of(rest: str) -> int | None:
    """How many problems `read` will give."""
    count = rest.partition("?")[0]
    return int(count) if count.isdecimal() else None


def _problems(count: int, seed: int, levels: tuple[int, ...]) -> Iterator[Problem]:
    from prmdata.abacus import GENERATOR_VERSION, story

    for index in range(count):
        level = levels[index % len(levels)]
        told = story(seed, index, level)
        yield Problem(
            id=f"abacus-{seed}-{index}-{level}",
            question=told.question,
            answer=str(told.answer),
            meta={
                "source": "abacus",
                "generator": GENERATOR_VERSION,
                "seed": seed,
                "index": index,
                "level": level,
            },
        )


def _whole(text: str, what: str, rest: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"abacus:{rest}: the {what} must be a whole number, not '{text}'")
    return int(text)


def _levels(text: str, rest: str) -> tuple[int, ...]:
    low, _, high = text.partition("-")
    first, last = _whole(low, "level", rest), _whole(high or low, "level", rest)
    chosen = tuple(level for level in LEVELS if first <= level <= last)
    if not chosen:
        raise UsageError(f"abacus:{rest}: levels go from 1 to 4")
    return chosen
