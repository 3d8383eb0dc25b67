"""Who wrote a segment, as its name says: which machine, which process, for which sampler."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
NAME = re.compile(r"\d+-(?:(?P<machine>[0-9a-f]{8})-)?\d+(?:\.(?P<sampler>.+))?\.jsonl")


@dataclass(frozen=True, slots=True)
class Writer:
    machine: str
    """Where locks can be believed; empty in names from before they said it."""
    sampler: str
    """The fingerprint; empty where the name does not say it."""

    @classmethod
    def ours(cls, sampler: str) -> Writer:
        return cls(this_machine(), sampler)

    @classmethod
    def of(cls, path: Path) -> Writer:
        found = NAME.fullmatch(path.name)
        return cls("", "") if found is None else cls(found["machine"] or "", found["sampler"] or "")

    def file_name(self, time_ns: int) -> str:
        sampler = f".{self.sampler}" if self.sampler else ""
        return f"{time_ns:020d}-{self.machine}-{os.getpid()}{sampler}.jsonl"


@functools.cache
def this_machine() -> str:
    """Processes under one kernel see each other's locks; those of other machines may not."""
    try:
        known = BOOT.read_text()
    except OSError:
        known = str(uuid.getnode())
    return hashlib.blake2b(known.encode(), digest_size=4).hexdigest()
