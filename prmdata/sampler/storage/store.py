"""The rollout store: every completion ever paid for, by what was asked and the sample's seed.

A directory of append-only segments of JSON lines, each with a checksum. Each process writes a
segment of its own and follows those of running neighbours, so stages of a pipe share a store. Rows
reach the operating system before they are handed out (a killed process loses only calls in flight)
and the disk within a second (power loss). A torn last line is passed over; damage before it is an
error. The index costs 16 bytes a completion.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from prmdata.errors import StoreError
from prmdata.files import sealed
from prmdata.files.paths import writing
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.storage.segments import Segments

SYNC_SECONDS = 1.0
SYNC_ROWS = 1000
MERGE_ROWS = 1 << 14
OFFSET_BITS = 44
KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a segment."""

    k: str
    """What was asked and with which seed, hashed: 32 hex digits."""
    c: Completion


@dataclass(frozen=True, slots=True)
class SamplerCard:
    """What a replay needs to know of the sampler whose rollouts a store holds."""

    spec: str
    fingerprint: str
    template: ChatTemplate
    context: int


class Store:
    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._hashes = np.empty(0, dtype=np.uint64)
        self._places = np.empty(0, dtype=np.uint64)
        self._recent: dict[int, int] = {}
        self._decoder = msgspec.json.Decoder(Entry)
        self._segments = Segments(self.folder)
        self._own: int | None = None
        self._end = 0
        """Of our own segment, in bytes."""
        self._unsynced = 0
        self._synced_at = time.monotonic()
        try:
            self._follow()
        except StoreError:
            self.close()
            raise
        self._merge()

    def __len__(self) -> int:
        return len(self._hashes) + len(self._recent)

    def get(self, key: str) -> Completion | None:
        """What this key was answered with, here or by a neighbour that runs just now."""
        place = self._place(_short(key))
        if place is None and self._follow():
            place = self._place(_short(key))
        if place is None:
            return None
        number, offset = place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)
        entry = self._entry(number, offset, self._segments.line(number, offset))
        return entry.c if entry.k == key else None

    def put(self, rows: list[tuple[str, Completion]]) -> None:
        """Acknowledge completions: when this returns they survive the process."""
        lines = [sealed.seal(msgspec.json.encode(Entry(key, done))) for key, done in rows]
        with writing(str(self.folder)):
            if self._own is None:
                self._own = self._segments.create()
            begin = self._end
            self._end = sealed.append(self._segments.file(self._own), lines, begin)
            for (key, _), line in zip(rows, lines, strict=True):
                self._recent[_short(key)] = self._own << OFFSET_BITS | begin
                begin += len(line)
            self._unsynced += len(rows)
            due = time.monotonic() - self._synced_at > SYNC_SECONDS
            if due or self._unsynced >= SYNC_ROWS:
                self._sync()
        if len(self._recent) >= MERGE_ROWS:
            self._merge()

    def close(self) -> None:
        if self._own is not None and self._unsynced:
            self._sync()
        self._segments.close()
        self._own = None

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

    def _place(self, short: int) -> int | None:
        recent = self._recent.get(short)
        if recent is not None:
            return recent
        at = int(self._hashes.searchsorted(np.uint64(short)))
        if at < len(self._hashes) and int(self._hashes[at]) == short:
            return int(self._places[at])
        return None

    def _follow(self) -> bool:
        """Take in the rows that were added since; whether there were any."""
        if self._segments.at_rest():
            return False
        found = False
        for number, offset, line in self._segments.added():
            entry = self._entry(number, offset, line)
            self._recent[_short(entry.k)] = number << OFFSET_BITS | offset
            found = True
            if len(self._recent) >= MERGE_ROWS:
                self._merge()
        return found

    def _entry(self, number: int, offset: int, line: bytes) -> Entry:
        try:
            entry = self._decoder.decode(self._segments.row(number, line))
            if not KEY.fullmatch(entry.k):
                raise sealed.Broken("a key that is not one")
        except (msgspec.DecodeError, ValueError) as error:
            raise StoreError(
                f"{self._segments.name(number)}: the rollout store is damaged at byte {offset:,} "
                f"({error}); move this segment away to go on without it: its calls will be made "
                "again"
            ) from None
        return entry

    def _merge(self) -> None:
        """Fold the recent rows into the sorted arrays."""
        if not self._recent:
            return
        hashes = np.fromiter(self._recent.keys(), dtype=np.uint64, count=len(self._recent))
        places = np.fromiter(self._recent.values(), dtype=np.uint64, count=len(self._recent))
        order = np.argsort(hashes)
        at = self._hashes.searchsorted(hashes[order])
        self._hashes = np.insert(self._hashes, at, hashes[order])
        self._places = np.insert(self._places, at, places[order])
        self._recent = {}

    def _sync(self) -> None:
        assert self._own is not None
        os.fsync(self._segments.file(self._own))
        self._unsynced = 0
        self._synced_at = time.monotonic()


class Keys:
    """The keys of one request's samples: sample i has the key of seed + i."""

    def __init__(self, fingerprint: str, prefix: str, sampling: Sampling) -> None:
        asked = msgspec.json.encode([fingerprint, prefix, sampling])
        self._asked = hashlib.blake2b(asked, digest_size=16).digest()

    def of(self, seed: int) -> str:
        return hashlib.blake2b(self._asked + seed.to_bytes(9, "big"), digest_size=16).hexdigest()


def score_key(fingerprint: str, prefix: str, text: str) -> str:
    """The key of the log-probabilities of a text after a prefix."""
    return Keys(fingerprint, prefix + text, Sampling(max_tokens=0, logprobs=True)).of(len(prefix))


def _short(key: str) -> int:
    return int(key[:16], 16)
