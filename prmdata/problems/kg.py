"""Questions over several hops of a knowledge graph, with their paths: `kg:FILE[?hops=1-3&count=N]`.

Each row of the file is a triple: `head`, `relation`, `tail`. A hop is taken where the graph knows
exactly one tail, so every question has one answer. The path goes into the problem's context for
`verify --with path`, with what the graph says of the entities on it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable
from prmdata.files import rows as files
from prmdata.records import Problem

Link = tuple[str, str, str]
TRIES = 50
"""Walks for each question that is wanted."""


def read(rest: str, rows: Callable[..., Any]) -> Iterator[Problem]:
    del rows
    path, _, query = rest.partition("?")
    settings = dict(parse_qsl(query))
    low, high = _hops(settings.pop("hops", "1-3"), rest)
    count, seed = (
        _whole(settings.pop(n, d), n, rest) for n, d in (("count", "100"), ("seed", "0"))
    )
    if not path or settings:
        raise UsageError(f"source 'kg:{rest}': write kg:FILE?hops=1-3&count=100&seed=0")
    graph = _graph(path)
    chance = random.Random(f"kg {seed}")
    heads = sorted(graph)
    seen: set[tuple[Link, ...]] = set()
    for _ in range(count * TRIES):
        if len(seen) == count:
            return
        walk = _walk(graph, chance.choice(heads), chance.randint(low, high), chance)
        if walk is not None and walk not in seen:
            seen.add(walk)
            yield _problem(walk, graph, len(seen) - 1, seed)
    if not seen:
        raise InputError(f"{path}: there is no path of {low} to {high} hops with one answer")


def _graph(path: str) -> dict[str, dict[str, list[str]]]:
    """Head → relation → tails."""
    graph: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row, where in files.read(path):
        if isinstance(row, Unreadable):
            raise InputError(row.reason)
        link = [row.get(name) for name in ("head", "relation", "tail")]
        if not all(isinstance(part, str) and part.strip() for part in link):
            raise InputError(f"{where}: a triple needs the texts head, relation and tail")
        head, relation, tail = map(str, link)
        if tail not in graph[head][relation]:
            graph[head][relation].append(tail)
    if not graph:
        raise InputError(f"{path}: there are no triples in it")
    return graph


def _walk(
    graph: dict[str, dict[str, list[str]]], start: str, hops: int, chance: random.Random
) -> tuple[Link, ...] | None:
    """A path of so many hops that comes nowhere twice; nothing where the walk leads nowhere."""
    walk: list[Link] = []
    passed, here = {start}, start
    for _ in range(hops):
        single = [(r, t[0]) for r, t in sorted(graph.get(here, {}).items()) if len(t) == 1]
        open_ones = [(relation, tail) for relation, tail in single if tail not in passed]
        if not open_ones:
            return None
        relation, tail = chance.choice(open_ones)
        walk.append((here, relation, tail))
        passed.add(tail)
        here = tail
    return tuple(walk)


def _problem(
    walk: tuple[Link, ...], graph: dict[str, dict[str, list[str]]], number: int, seed: int
) -> Problem:
    asked = "".join(f"the {relation} of " for _, relation, _ in reversed(walk))
    near = [
        [head, relation, tail]
        for head, _, _ in walk
        for relation, tails in graph[head].items()
        for tail in tails
    ]
    single = sorted({relation for _, relation, _ in walk})
    return Problem(
        id=f"kg-{seed}-{number}",
        question=f"What is {asked}{walk[0][0]}?",
        answer=walk[-1][2],
        kind="text",
        context={"path": [list(link) for link in walk], "graph": near, "functional": single},
        meta={"source": "kg", "hops": len(walk), "seed": seed},
    )


def _hops(text: str, rest: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    first, last = _whole(low, "hops", rest), _whole(high or low, "hops", rest)
    if not 1 <= first <= last:
        raise UsageError(f"source 'kg:{rest}': hops go from 1 upwards, such as hops=1-3")
    return first, last


def _whole(text: str, what: str, rest: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"source 'kg:{rest}': {what} must be a whole number, not '{text}'")
    return int(text)
