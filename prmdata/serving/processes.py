"""Which processes there are, and which of them a server has started."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    group: int
    state: str
    started: str


def table() -> dict[int, Process]:
    """All that live, by number; what has ended and waits for its parent is not among them."""
    found = _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()
    return {process.pid: process for process in found if process.state not in "ZX"}


def _from_proc() -> list[Process]:
    found = []
    for path in PROC.glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        words = text[text.rindex(")") + 2 :].split()
        pid = int(path.parent.name)
        found.append(Process(pid, int(words[1]), int(words[2]), words[0], words[19]))
    return found


def _from_ps() -> list[Process]:
    asked = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="]
    rows = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    split = (row.split(maxsplit=4) for row in rows)
    return [Process(int(p), int(pp), int(g), s[0], at) for p, pp, g, s, at in split]


def belonging(leader: int, started: str, living: dict[int, Process]) -> list[Process]:
    """The leader, its group, and whatever any of them has started."""
    if leader in living and living[leader].started != started:
        return []  # the number is another's by now
    own = {pid for pid, process in living.items() if leader in (pid, process.group)}
    while more := {pid for pid, p in living.items() if p.parent in own and pid not in own}:
        own |= more
    return [living[pid] for pid in sorted(own)]
