"""Where problems come from. A source is named by what it is: `abacus:200`, or a file or a set.

The layout of a file (GSM8K, MATH, NuminaMath, …) is recognised by its columns, or described by
`--fields question=COLUMN,answer=COLUMN`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prmdata.errors import InputError, UsageError, unknown
from prmdata.files import Unreadable, count_hint, paths, rows
from prmdata.files.nested import check_columns
from prmdata.problems import abacus, hub, kg, verifiers, worlds
from prmdata.problems.contract import Layout, mapped
from prmdata.problems.layouts import code, gsm8k, math, numina, plain, prompts
from prmdata.records import Problem
from prmdata.registry import Registry

__all__ = [
    "LAYOUTS",
    "SOURCES",
    "Layout",
    "Unreadable",
    "is_path",
    "problems",
    "shard_of",
    "size_hint",
]

LAYOUTS: Registry[Layout] = Registry(
    "layout",
    "prmdata.layouts",
    {
        "gsm8k": gsm8k.LAYOUT,
        "humaneval": code.HUMANEVAL,
        "math": math.LAYOUT,
        "mbpp": code.MBPP,
        "numina": numina.LAYOUT,
        "plain": plain.LAYOUT,
        "verl": prompts.VERL,
        "trl": prompts.TRL,
    },
)
"""Name → how the rows of a known set become problems; the first whose columns fit is taken."""

HEAD = 100
"""Rows that are looked at before the first becomes a problem."""

Source = tuple[Callable[..., Iterator[Problem | Unreadable]], str]
SOURCES: Registry[Source] = Registry(
    "source",
    "prmdata.sources",
    {
        "abacus": (abacus.read, "abacus:COUNT[?level=1-4&seed=S]  worded sums with exact truth"),
        "worlds": (
            worlds.read,
            "worlds:[NAME:]COUNT[?seed=S]  search, constraint, posterior; ledger: exact truth",
        ),
        "verifiers": (
            verifiers.read,
            "verifiers:TASKSET[?limit=N]  tasks of that package, for --environment verifiers",
        ),
        "kg": (
            kg.read,
            "kg:FILE[?hops=1-3&count=N&seed=S]  questions over paths of a knowledge graph",
        ),
        "hub": (
            hub.read,
            "hub:NAME[?split=S&config=C]  a set on the Hugging Face hub, or saved locally",
        ),
    },
)
"""Prefix → (reader, one line of help). Anything else is a path."""


def problems(
    source: str, *, layout: str | None = None, fields: Mapping[str, str] | None = None
) -> Iterator[Problem | Unreadable]:
    """The problems of a source, each with an id that is stable across reruns."""
    if is_path(source):
        return _checked(_from_rows(rows.read(source), layout, fields))
    kind, _, rest = source.partition(":")
    read, _ = SOURCES[kind]
    return _checked(read(rest, lambda found: _from_rows(found, layout, fields)))


def size_hint(source: str) -> int | None:
    """How many problems a source holds, where that is cheap to know."""
    if is_path(source):
        return count_hint(source) if source.endswith((".jsonl", ".parquet")) else None
    kind, _, rest = source.partition(":")
    return abacus.count_of(rest) if kind == "abacus" else None


def is_path(source: str) -> bool:
    """Whether a source is a file or folder; a misspelt prefix is told."""
    kind, colon, _ = source.partition(":")
    if kind in SOURCES and colon:
        return False
    if kind in SOURCES and not Path(source).exists():
        raise UsageError(f"source '{source}' needs a count: {SOURCES[kind][1]}")
    if colon and not paths.is_remote(source) and not Path(source).exists():
        raise unknown("source", kind, SOURCES)
    return True


def _from_rows(
    found: Iterable[tuple[dict[str, object] | Unreadable, str]],
    layout: str | None,
    fields: Mapping[str, str] | None,
) -> Iterator[Problem | Unreadable]:
    chosen = mapped(fields) if fields else None
    if layout is not None:
        chosen = LAYOUTS[layout]
    found = iter(found)
    head = list(itertools.islice(found, HEAD))
    if fields:
        first = [row for row, _ in head if not isinstance(row, Unreadable)]
        check_columns(first, fields.values(), "--fields")
    for row, where in itertools.chain(head, found):
        if isinstance(row, Unreadable):
            yield row
            continue
        if chosen is None:
            _refuse_traces(row, where)
            chosen = _guess(row, where)
        try:
            problem = chosen.problem(row, where)
        except InputError as error:
            yield Unreadable(where, str(error))
        else:
            yield problem


def _refuse_traces(row: Mapping[str, object], where: str) -> None:
    if isinstance(row.get("problem"), dict) and "steps" in row:
        raise UsageError(
            f"{where}: this is a trace, and generate takes problems; traces are the input of "
            "`prmdata verify`, `prmdata estimate` and `prmdata label`"
        )


def _guess(row: dict[str, object], where: str) -> Layout:
    for layout in LAYOUTS.values():
        if layout.fits(row):
            return layout
    raise InputError(
        f"{where}: cannot tell which column holds the question (columns: "
        f"{', '.join(row)}); name it with --fields question=COLUMN,answer=COLUMN"
    )


def _checked(found: Iterable[Problem | Unreadable]) -> Iterator[Problem | Unreadable]:
    seen: set[bytes] = set()
    for problem in found:
        if isinstance(problem, Problem):
            key = hashlib.blake2b(problem.id.encode(), digest_size=8).digest()
            if key in seen:
                raise InputError(
                    f"problem id {problem.id} comes twice; ids must be unique: drop the repeated "
                    "problem, or take ids from another column with --fields id=COLUMN (--fields "
                    "id= takes none, and makes ids from the texts)"
                )
            seen.add(key)
        yield problem


def shard_of(problem_id: str, count: int) -> int:
    """The shard, from 1 to `count`, that a problem belongs to: by a hash of its id."""
    digest = hashlib.blake2b(problem_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count + 1
