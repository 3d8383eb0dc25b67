"""Problems whose question is nearly that of an earlier one: MinHash finds who to compare with
(Broder 1997), the Jaccard similarity of their runs of three words decides.
"""

from __future__ import annotations

import functools
import zlib
from array import array
from typing import Any

import numpy as np

from prmdata.dataset.wording import runs, words

RUN = 3
HASHES = 64
FOUND = 0.99
"""At least so surely is an earlier question met that is just similar enough."""
MOST_COMPARED = 16
"""In each band, the latest: what is met there beyond these is as similar to each other."""


class NearDuplicates:
    """Remembers the questions it was shown; about a kilobyte for each."""

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self._rows = rows_per_band(similarity)
        self._bands = HASHES // self._rows
        self._last: dict[int, int] = {}
        """Band → the question that was put there last."""
        self._before = array("q")
        """Question and band → the one that was there before it."""
        self._runs: list[Any] = []
        self._ids: list[str] = []

    def earlier(self, name: str, question: str) -> str | None:
        """The earlier question that this one nearly is; else it is remembered by its name."""
        own = np.unique(
            np.array([zlib.crc32(run.encode()) for run in runs(words(question), RUN)], np.uint64)
        )
        bands = self._bands_of(own)
        for number in self._candidates(bands):
            other = self._runs[number]
            shared = len(np.intersect1d(own, other, assume_unique=True))
            if shared >= self._similarity * (len(own) + len(other) - shared):
                return self._ids[number]
        for band in bands:
            self._before.append(self._last.get(band, -1))
            self._last[band] = len(self._ids)
        self._runs.append(own.astype(np.uint32))
        self._ids.append(name)
        return None

    def _bands_of(self, own: Any) -> list[int]:
        factors, offsets = _permutations()
        least = ((own[:, None] * factors + offsets) >> np.uint64(32)).min(axis=0)
        cut = least[: self._bands * self._rows].reshape(self._bands, self._rows)
        return [hash((band, values.tobytes())) for band, values in enumerate(cut)]

    def _candidates(self, bands: list[int]) -> list[int]:
        found: dict[int, None] = {}
        for place, band in enumerate(bands):
            number = self._last.get(band, -1)
            for _ in range(MOST_COMPARED):
                if number < 0:
                    break
                found[number] = None
                number = self._before[number * self._bands + place]
        return list(found)


def rows_per_band(similarity: float) -> int:
    """As many as still find the pairs looked for: each more means fewer needless comparisons."""
    return max(
        rows
        for rows in range(1, HASHES + 1)
        if rows == 1 or 1 - (1 - similarity**rows) ** (HASHES // rows) >= FOUND
    )


@functools.cache
def _permutations() -> tuple[object, object]:
    """Multiply-and-shift hashing, in which 64-bit numbers overflow as they should."""
    random = np.random.default_rng(0)
    factors, offsets = random.integers(0, 2**63, (2, HASHES), dtype=np.uint64)
    return factors * np.uint64(2) + np.uint64(1), offsets
