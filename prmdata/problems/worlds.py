"""Problems of the small worlds in which an agent acts: `worlds:search:20?seed=1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

from prmdata.errors import UsageError, unknown
from prmdata.records import Problem
from prmdata.worlds import SMALL, WORLDS


def read(rest: str, rows: Callable[..., object]) -> Iterator[Problem]:
    del rows
    named, _, query = rest.partition("?")
    name, _, count = named.rpartition(":")
    if not count.isdecimal() or not int(count):
        raise UsageError(
            f"source 'worlds' needs a count: worlds:20, or worlds:search:20 (not {rest})"
        )
    if name and name not in WORLDS:
        raise unknown("world", name, WORLDS)
    settings = dict(parse_qsl(query))
    seed = settings.pop("seed", "0")
    if settings or not seed.isdecimal():
        raise UsageError(f"source 'worlds:{rest}': after ? it takes seed=NUMBER alone")
    names = [name] if name else list(SMALL)
    for index in range(int(count)):
        yield WORLDS[names[index % len(names)]].problem(int(seed), index)
