"""The rollout store: every completion ever paid for, by what was asked and the sample's seed.

A directory of append-only segments of JSON lines, each with a checksum. Each process writes a
segment of its own and follows those of running neighbours, so stages of a pipe share a store. Rows
reach the operating system before they are handed out (a killed process loses only calls in flight)
and the disk within a second (power loss). A torn last line is passed over; damage before it is an
error. A segment that is whole has an index on disk (16 bytes a row); in memory are only the rows of
those that grow or are small (16 bytes a row, too).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from prmdata.errors import StoreError
from prmdata.files import sealed
from prmdata.files.paths import writing
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Marked, Rated, Sampling, Scored
from prmdata.sampler.storage.compaction import compact_small
from prmdata.sampler.storage.memory import MemoryIndex
from prmdata.sampler.storage.rows import Entry, damaged, entry_of, short_of
from prmdata.sampler.storage.segments import Gone, Segments
from prmdata.sampler.storage.table import Stale, Table, index_of

SYNC_SECONDS = 1.0
SYNC_ROWS = 1000
INDEX_BYTES = 1 << 20
"""A segment shorter than this has no index: its rows are read when a store opens."""
ROLL_BYTES = 1 << 29
"""A segment this long ends, and another one begins."""


@dataclass(frozen=True, slots=True)
class SamplerCard:
    """What a replay needs to know of the sampler whose rollouts a store holds."""

    spec: str
    fingerprint: str
    template: ChatTemplate
    context: int


@dataclass(slots=True)
class Own:
    """The segment that this process writes for one sampler."""

    number: int
    end: int = 0
    """In bytes."""
    unsynced: int = 0


class Store:
    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._memory = MemoryIndex()
        self._segments = Segments(self.folder)
        self._own: dict[str, Own] = {}
        """By sampler."""
        self._synced_at = time.monotonic()
        try:
            self._follow()
        except StoreError:
            self._segments.close()
            raise

    def __len__(self) -> int:
        return len(self._memory) + sum(table.rows for table in self._segments.tables.values())

    def get(self, key: str) -> Completion | None:
        """What this key was answered with, here or by a neighbour that runs just now."""
        entry = self._found(key)
        return entry.c if entry else None

    def get_score(self, key: str) -> Scored | None:
        entry = self._found(key)
        return entry.s if entry else None

    def get_rating(self, key: str) -> Rated | None:
        entry = self._found(key)
        return entry.r if entry else None

    def _found(self, key: str) -> Entry | None:
        while True:
            place = self.place(short_of(key))
            if place is None and self._follow():
                place = self.place(short_of(key))
            if place is None:
                return None
            try:
                entry = self._entry(*place, self._segments.line(*place))
            except Gone:  # it is part of another segment by now, which the next look finds
                self._lost(place[0])
                continue
            return entry if entry.k == key else None

    def place(self, short: int) -> tuple[int, int] | None:
        """The segment that has this hash, and where its row begins there."""
        found = self._memory.find(short)
        if found is not None:
            return found
        for number, table in tuple(self._segments.tables.items()):
            try:
                offset = table.find(self._segments.file(table.path), short)
            except (Gone, Stale):
                self._segments.drop_table(number)
                self._follow()
                return self.place(short)
            if offset is not None:
                return number, offset
        return None

    def put(self, rows: list[tuple[str, Completion]], sampler: str = "") -> None:
        """Acknowledge completions: when this returns they survive the process."""
        self._append([(key, {"k": key, "c": done}) for key, done in rows], sampler)

    def put_score(self, key: str, scored: Scored, sampler: str = "") -> None:
        """Acknowledge a score, likewise."""
        self._append([(key, {"k": key, "s": scored})], sampler)

    def put_rating(self, key: str, rated: Rated, sampler: str = "") -> None:
        self._append([(key, {"k": key, "r": rated})], sampler)

    def _append(self, rows: list[tuple[str, dict[str, object]]], sampler: str) -> None:
        """Write entries, without the half that each lacks."""
        lines = [sealed.seal(msgspec.json.encode(entry)) for _, entry in rows]
        with writing(str(self.folder)):
            own = self._own.get(sampler)
            if own is None:
                own = self._own[sampler] = Own(self._segments.create(sampler))
            begin = own.end
            own.end = sealed.append(self._segments.own_file(own.number), lines, begin)
            for (key, _), line in zip(rows, lines, strict=True):
                self._memory.add(short_of(key), own.number, begin)
                begin += len(line)
            own.unsynced += len(rows)
            due = time.monotonic() - self._synced_at > SYNC_SECONDS
            if due or own.unsynced >= SYNC_ROWS:
                self._sync()
            if own.end >= ROLL_BYTES:
                self._seal(self._own.pop(sampler))

    def close(self) -> None:
        wrote = bool(self._own)
        while self._own:
            self._seal(self._own.popitem()[1])
        self._segments.close()
        if wrote:
            compact_small(self.folder)

    def card(self, fingerprint: str | None = None) -> SamplerCard:
        """The sampler that wrote here; with several, the one asked for."""
        found = sorted(self.folder.glob(f"{fingerprint or '*'}.sampler.json"))
        if len(found) != 1:
            names = ", ".join(path.name.split(".")[0] for path in found) or "none"
            raise StoreError(
                f"{self.folder}: cannot tell which sampler to replay (recorded: {names}); "
                "name one with replay:FOLDER#FINGERPRINT"
            )
        try:
            return msgspec.json.decode(found[0].read_bytes(), type=SamplerCard)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{found[0]}: damaged ({error}); delete it: the next run with this store and the "
                "same sampler writes it anew"
            ) from None

    def remember(self, card: SamplerCard) -> None:
        path = self.folder / f"{card.fingerprint}.sampler.json"
        if not path.exists():
            with writing(str(self.folder)):
                self.folder.mkdir(parents=True, exist_ok=True)
                scratch = path.with_suffix(f".{os.getpid()}")
                scratch.write_bytes(msgspec.json.encode(card))
                scratch.replace(path)

    def _follow(self) -> bool:
        """Take in the rows that were added since; whether there were any."""
        if self._segments.at_rest():
            return False
        tables, found = len(self._segments.tables), False
        for number, offset, line in self._segments.added():
            entry = self._entry(number, offset, line)
            self._memory.add(short_of(entry.k), number, offset)
            found = True
        settled, self._segments.settled = self._segments.settled, []
        for number in settled:
            self._index(number)
        return found or len(self._segments.tables) != tables

    def _lost(self, number: int) -> None:
        self._segments.lost(number)
        self._memory.forget([number])

    def _entry(self, number: int, offset: int, line: bytes) -> Entry:
        where = self._segments.name(number)
        try:
            row = self._segments.row(number, line)
        except sealed.Broken as error:
            raise damaged(where, offset, error) from None
        return entry_of(row, where, offset)

    def _seal(self, own: Own) -> None:
        """Our segment grows no more: it is on the disk, and others may use it."""
        if own.unsynced:
            os.fsync(self._segments.own_file(own.number))
        self._segments.release(own.number)
        self._index(own.number)

    def _index(self, number: int) -> None:
        """Move a segment's rows from memory to an index beside it, where there are many."""
        path = self._segments.path(number)
        with contextlib.suppress(OSError):  # a folder that we may only read
            size = path.stat().st_size
            if size < INDEX_BYTES:
                return
            Table.write(index_of(path), *self._memory.of(number), size)
            if self._segments.indexed(number, size):
                self._memory.forget([number])

    def _sync(self) -> None:
        for own in self._own.values():
            if own.unsynced:
                os.fsync(self._segments.own_file(own.number))
                own.unsynced = 0
        self._synced_at = time.monotonic()


class Keys:
    """The keys of one request's samples: sample i has the key of seed + i."""

    def __init__(self, fingerprint: str, prefix: str, sampling: Sampling) -> None:
        asked = msgspec.json.encode([fingerprint, prefix, sampling])
        self._asked = hashlib.blake2b(asked, digest_size=16).digest()

    def of(self, seed: int) -> str:
        return hashlib.blake2b(self._asked + seed.to_bytes(9, "big"), digest_size=16).hexdigest()


def score_key(fingerprint: str, prefix: str, text: str, top: int) -> str:
    """The key of the score of a text after a prefix."""
    asked = msgspec.json.encode(["score", fingerprint, prefix, text, top])
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def rating_key(fingerprint: str, marked: Marked) -> str:
    """The key of what a reward model thinks of a text."""
    asked = msgspec.json.encode(["rating", fingerprint, marked])
    return hashlib.blake2b(asked, digest_size=16).hexdigest()
