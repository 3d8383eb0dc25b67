"""An engine's log → the lines that say why it failed."""

from __future__ import annotations

import re
from pathlib import Path

LEAD = re.compile(
    r"^(\(\w+( pid=\d+)?\)\s*)?((ERROR|INFO|WARNING|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d )?"
    r"(\[[\w.]+:\d+\]\s*)?"
)
"""Who says it, how loud, when, and where in the code."""
CAUSE = re.compile(r"(^|\s)([\w.]*(Error|Exception|Interrupt)|error): |Killed|Aborted")
VAGUE = ("See root cause above", "Engine core proc", "leaked ")


def reasons(log: Path, count: int = 4) -> list[str]:
    """The last different lines that name an error; the last lines at all where none does."""
    lines = [plain(line) for line in _tail(log).splitlines()]
    lines = [line for line in lines if line and not any(word in line for word in VAGUE)]
    causes = list(dict.fromkeys(line for line in lines if CAUSE.search(line)))
    return (causes or lines)[-count:]


def last_line(log: Path) -> str:
    lines = [line for line in _tail(log, 8192).splitlines() if line.strip()]
    return plain(lines[-1])[:100] if lines else ""


def plain(line: str) -> str:
    return LEAD.sub("", line.strip()).strip()


def _tail(log: Path, size: int = 1 << 18) -> str:
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - size, 0))
        return file.read().decode(errors="replace")
