"""The rows of a segment: what is in a line, and whether it is what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from prmdata.errors import StoreError
from prmdata.files import sealed
from prmdata.sampler.protocol import Completion, Rated, Scored

KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a segment."""

    k: str
    """What was asked and with which seed, hashed: 32 hex digits."""
    c: Completion | None = None
    s: Scored | None = None
    """What a given text was scored with."""
    r: Rated | None = None
    """What a reward model thought of it. An entry is one of the three."""


@dataclass(frozen=True, slots=True)
class Row:
    short: int
    content: bytes
    """Without its checksum."""


_DECODER = msgspec.json.Decoder(Entry)


def entry_of(row: bytes, where: str, offset: int) -> Entry:
    try:
        entry: Entry = _DECODER.decode(row)
        if not KEY.fullmatch(entry.k):
            raise sealed.Broken("a key that is not one")
        if sum(part is not None for part in (entry.c, entry.s, entry.r)) != 1:
            raise sealed.Broken("neither a completion nor a score nor a rating")
    except (msgspec.DecodeError, ValueError) as error:
        raise damaged(where, offset, error) from None
    return entry


def damaged(where: str, offset: int, error: Exception) -> StoreError:
    return StoreError(
        f"{where}: the rollout store is damaged at byte {offset:,} ({error}); move this segment "
        "away to go on without it: its calls will be made again"
    )


def short_of(key: str) -> int:
    return int(key[:16], 16)


class Reader:
    """Reads a segment from its first to its last whole line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn = 0
        """Bytes after the last whole line."""

    def rows(self) -> Iterator[Row]:
        offset = 0
        is_sealed: bool | None = None
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    self.torn = len(line)
                    return
                is_sealed = sealed.is_sealed(line) if is_sealed is None else is_sealed
                try:
                    if sealed.is_sealed(line) != is_sealed:
                        raise sealed.Broken("a line with a checksum beside one without")
                    content = sealed.unseal(line) if is_sealed else line.rstrip(b"\n")
                except sealed.Broken as error:
                    raise damaged(str(self.path), offset, error) from None
                yield Row(short_of(entry_of(content, str(self.path), offset).k), content)
                offset += len(line)
