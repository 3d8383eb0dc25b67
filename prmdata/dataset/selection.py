"""What any format can be asked to take, and in which split a problem belongs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from prmdata.errors import UsageError
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Selection:
    min_confidence: float | None = None
    per_problem: int | None = None
    split: tuple[tuple[str, float], ...] = ()
    """Names and shares. A problem is in one split with all its traces."""
    shuffle: int | None = None

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise UsageError(f"min-confidence {self.min_confidence}: must lie between 0 and 1")
        if self.per_problem is not None and self.per_problem < 1:
            raise UsageError(f"per-problem {self.per_problem}: must be at least 1")

    def against(self, trace: Trace, taken: int) -> str | None:
        """Why this trace is not taken, with `taken` of its problem taken already."""
        if self.min_confidence is not None and trace.labels is not None:
            confidence = trace.labels.confidence
            if confidence is None:
                return "no confidence known"
            if confidence < self.min_confidence:
                return f"confidence below {self.min_confidence:g}"
        if self.per_problem is not None and taken >= self.per_problem:
            return f"more than {self.per_problem} of a problem"
        return None

    @property
    def splits(self) -> list[str]:
        return [name for name, _ in self.split] or ["train"]

    def split_of(self, problem: str) -> str:
        """By a hash of the problem's id: the same in every run, whatever else is exported."""
        if len(self.split) < 2:
            return self.splits[0]
        digest = hashlib.sha256(f"split {problem}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        for name, share in self.split:
            if place < share:
                return name
            place -= share
        return self.splits[-1]


def parse_split(text: str) -> tuple[tuple[str, float], ...]:
    """`train=0.9,test=0.1`."""
    found: dict[str, float] = {}
    for word in text.split(","):
        name, _, share = (part.strip() for part in word.partition("="))
        if not name.isidentifier() or name in found:
            raise UsageError(f"--split {text}: '{name}' is no name for a split, or comes twice")
        try:
            found[name] = float(share)
        except ValueError:
            raise UsageError(f"--split {text}: write it as train=0.9,test=0.1") from None
    if not all(0 < share <= 1 for share in found.values()) or not math.isclose(
        sum(found.values()), 1, abs_tol=1e-6
    ):
        raise UsageError(f"--split {text}: the shares must be above 0 and add up to 1")
    return tuple(found.items())
