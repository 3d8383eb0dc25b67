"""The rollout store: every completion ever paid for, by what was asked and the sample's seed.

A directory of append-only segments of JSON lines. Each process writes a segment of its own, so
stages of a pipe can share a store. Rows reach the operating system before they are handed out
(a killed process loses only calls in flight) and the disk within a second (power loss). A torn
last line is passed over; damage before it is an error. The index costs 16 bytes a completion.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from prmdata.errors import StoreError
from prmdata.files.paths import writing
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling

SYNC_SECONDS = 1.0
SYNC_ROWS = 1000
MERGE_ROWS = 1 << 14
OFFSET_BITS = 44


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
        self._files: list[int] = []
        self._segment: int | None = None
        self._offset = 0
        self._unsynced = 0
        self._synced_at = time.monotonic()
        for path in sorted(self.folder.glob("*.jsonl")):
            self._load(path)
        self._merge()

    def __len__(self) -> int:
        return len(self._hashes) + len(self._recent)

    def get(self, key: str) -> Completion | None:
        place = self._place(_short(key))
        if place is None:
            return None
        entry = msgspec.json.decode(self._read_line(place), type=Entry)
        return entry.c if entry.k == key else None

    def put(self, rows: list[tuple[str, Completion]]) -> None:
        """Acknowledge completions: when this returns they survive the process."""
        lines = [msgspec.json.encode(Entry(key, done)) + b"\n" for key, done in rows]
        with writing(str(self.folder)):
            number = self._own_segment()
            _write_all(self._files[number], b"".join(lines))
            for (key, _), line in zip(rows, lines, strict=True):
                self._recent[_short(key)] = number << OFFSET_BITS | self._offset
                self._offset += len(line)
            self._unsynced += len(rows)
            due = time.monotonic() - self._synced_at > SYNC_SECONDS
            if due or self._unsynced >= SYNC_ROWS:
                self._sync()
        if len(self._recent) >= MERGE_ROWS:
            self._merge()

    def close(self) -> None:
        if self._segment is not None and self._unsynced:
            self._sync()
        for file in self._files:
            os.close(file)
        self._files = []
        self._segment = None

    def card(self, fingerprint: str | None = None) -> SamplerCard:
        """The sampler that wrote here; with several, the one asked for."""
        found = sorted(self.folder.glob(f"{fingerprint or '*'}.sampler.json"))
        if len(found) != 1:
            names = ", ".join(path.name.split(".")[0] for path in found) or "none"
            raise StoreError(
                f"{self.folder}: cannot tell which sampler to replay (recorded: {names}); "
                "name one with replay:FOLDER#FINGERPRINT"
            )
        return msgspec.json.decode(found[0].read_bytes(), type=SamplerCard)

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

    def _read_line(self, place: int) -> bytes:
        file, offset = self._files[place >> OFFSET_BITS], place & ((1 << OFFSET_BITS) - 1)
        line = b""
        while True:
            block = os.pread(file, 4096, offset + len(line))
            cut = block.find(b"\n")
            line += block if cut < 0 else block[:cut]
            if cut >= 0 or not block:
                return line

    def _load(self, path: Path) -> None:
        number = len(self._files)
        self._files.append(os.open(path, os.O_RDONLY))
        offset = 0
        decoder = msgspec.json.Decoder(Entry)
        with path.open("rb") as raw:
            for row, line in enumerate(raw, 1):
                if not line.endswith(b"\n"):
                    return  # torn: its call was never acknowledged
                try:
                    entry = decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise StoreError(
                        f"{path}:{row}: the rollout store is damaged ({error}); move this segment "
                        "away to go on without it: its calls will be made again"
                    ) from None
                self._recent[_short(entry.k)] = number << OFFSET_BITS | offset
                offset += len(line)
                if len(self._recent) >= MERGE_ROWS:
                    self._merge()

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

    def _own_segment(self) -> int:
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")
            name = f"{time.time_ns():020d}-{os.getpid()}.jsonl"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._files.append(os.open(self.folder / name, flags, 0o644))
            self._segment = len(self._files) - 1
        return self._segment

    def _sync(self) -> None:
        assert self._segment is not None
        os.fsync(self._files[self._segment])
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


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
