"""What a store holds, whether every row of it is sound, and leaving out what is not wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from prmdata.errors import StoreError, UsageError
from prmdata.sampler.storage.compaction import alone, at_rest, remove
from prmdata.sampler.storage.rows import Reader
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.table import Table, index_of
from prmdata.sampler.storage.writers import Writer

UNNAMED = "unknown"
"""Segments from before their names said the sampler."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one sampler has in a store."""

    spec: str = ""
    segments: int = 0
    rows: int = 0
    bytes: int = 0
    oldest_s: float = 0.0
    """Age of the segment that nobody has written to for longest."""
    newest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Census:
    folder: str
    samplers: Mapping[str, Share] = field(default_factory=dict)
    """By fingerprint."""
    segments: int = 0
    indexed: int = 0
    """Segments with an index; the rows of the others are read when the store opens."""
    growing: int = 0
    """Segments that a process writes now, and empty ones."""
    rows: int = 0
    bytes: int = 0
    index_bytes: int = 0


def census(folder: Path) -> Census:
    now, resting = time.time(), set(at_rest(_there(folder), foreign=True))
    samplers: dict[str, Share] = {}
    indexes = 0
    found = Census(str(folder))
    for path in sorted(folder.glob("*.jsonl")):
        state, index = path.stat(), index_of(path)
        table = Table.open(index, state.st_size)
        rows = _lines(path) if table is None else table.rows
        name, age = Writer.of(path).sampler or UNNAMED, max(now - state.st_mtime, 0.0)
        known = samplers.get(name) or Share(_spec(folder, name), oldest_s=age, newest_s=age)
        samplers[name] = Share(
            known.spec,
            known.segments + 1,
            known.rows + rows,
            known.bytes + state.st_size,
            max(known.oldest_s, age),
            min(known.newest_s, age),
        )
        indexes += table is not None and index.stat().st_size
        found = replace(
            found,
            segments=found.segments + 1,
            indexed=found.indexed + (table is not None),
            growing=found.growing + (path not in resting),
            rows=found.rows + rows,
            bytes=found.bytes + state.st_size,
        )
    return replace(found, samplers=samplers, index_bytes=indexes)


@dataclass(frozen=True, slots=True)
class Verified:
    segments: int = 0
    rows: int = 0
    torn: int = 0
    """Segments whose last line was never finished: the call it belongs to was not acknowledged."""
    damaged: tuple[str, ...] = ()
    """What is wrong with those that are."""
    not_found: int = 0
    """Sound rows that a look-up does not find."""


def verify(folder: Path, tell: Callable[[str], None] = lambda line: None) -> Verified:
    """Read every row: its checksum, its key, and whether a look-up finds it."""
    segments = sorted(_there(folder).glob("*.jsonl"))
    found, store = Verified(len(segments)), _opened(folder)
    for path in segments:
        reader = Reader(path)
        try:
            for row in reader.rows():
                missing = store is not None and store.place(row.short) is None
                found = replace(found, rows=found.rows + 1, not_found=found.not_found + missing)
        except StoreError as error:
            found = replace(found, damaged=(*found.damaged, str(error)))
        found = replace(found, torn=found.torn + (reader.torn > 0))
        tell(f"{path.name}: read; {found.rows:,} rows so far")
    if store is not None:
        store.close()
    return found


@dataclass(frozen=True, slots=True)
class Dropped:
    segments: int = 0
    rows: int = 0
    bytes: int = 0
    in_use: int = 0
    """Segments that match, and stay because a process writes them."""


def drop(
    folder: Path, sampler: str | None, older_than_s: float | None, *, dry_run: bool = False
) -> Dropped:
    """Remove the segments of one sampler, or those that nobody has written to for some time."""
    if sampler is not None and sampler not in census(folder).samplers:
        known = ", ".join(census(folder).samplers) or "none"
        raise UsageError(f"--sampler {sampler}: {folder} has nothing of it; it has: {known}")
    found = Dropped()
    with alone(_there(folder)) as ours:
        if not ours:
            raise StoreError(f"{folder}: another process compacts it now; try again when it ends")
        resting = set(at_rest(folder, foreign=True))
        for path in _matching(folder, sampler, older_than_s):
            if path not in resting:
                found = replace(found, in_use=found.in_use + 1)
                continue
            found = Dropped(
                found.segments + 1,
                found.rows + _lines(path),
                found.bytes + path.stat().st_size,
                found.in_use,
            )
            if not dry_run:
                remove(path)
    return found


def _matching(folder: Path, sampler: str | None, older_than_s: float | None) -> Iterator[Path]:
    now = time.time()
    for path in sorted(folder.glob("*.jsonl")):
        of_it = sampler in (None, Writer.of(path).sampler or UNNAMED)
        if of_it and (older_than_s is None or now - path.stat().st_mtime > older_than_s):
            yield path


def _opened(folder: Path) -> Store | None:
    try:
        return Store(folder)
    except StoreError:  # which row it is will be said
        return None


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"--store {folder}: there is no such folder")
    return folder


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _spec(folder: Path, fingerprint: str) -> str:
    """How a user named the sampler, where its card can be read."""
    try:
        card = msgspec.json.decode((folder / f"{fingerprint}.sampler.json").read_bytes())
        return str(card["spec"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return ""
