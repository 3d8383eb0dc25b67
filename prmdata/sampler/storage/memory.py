"""The rows that have no index file yet, in memory: 16 bytes each, beside a few recent ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from prmdata.sampler.storage.table import Numbers

MERGE_ROWS = 1 << 14
OFFSET_BITS = 44


class MemoryIndex:
    """Hash of a key → the number of its segment and where its row begins there."""

    def __init__(self) -> None:
        self._hashes: Numbers = np.empty(0, dtype=np.uint64)
        self._places: Numbers = np.empty(0, dtype=np.uint64)
        self._recent: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._hashes) + len(self._recent)

    def find(self, short: int) -> tuple[int, int] | None:
        place = self._recent.get(short)
        if place is None:
            at = int(self._hashes.searchsorted(np.uint64(short)))
            if at == len(self._hashes) or int(self._hashes[at]) != short:
                return None
            place = int(self._places[at])
        return place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)

    def add(self, short: int, number: int, offset: int) -> None:
        self._recent[short] = number << OFFSET_BITS | offset
        if len(self._recent) >= max(MERGE_ROWS, len(self._hashes) // 16):
            self._merge()

    def of(self, number: int) -> tuple[Numbers, Numbers]:
        """Hashes and offsets of one segment's rows, sorted by hash."""
        self._merge()
        own = self._places >> np.uint64(OFFSET_BITS) == np.uint64(number)
        return self._hashes[own], self._places[own] & np.uint64((1 << OFFSET_BITS) - 1)

    def forget(self, numbers: Iterable[int]) -> None:
        """Take out the rows of these segments."""
        self._merge()
        gone = np.fromiter(numbers, dtype=np.uint64)
        rest = ~np.isin(self._places >> np.uint64(OFFSET_BITS), gone)
        self._hashes, self._places = self._hashes[rest], self._places[rest]

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
