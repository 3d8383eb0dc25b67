"""The closing lines of `prmdata export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN = 5


def counted(counts: Mapping[str, Any]) -> str:
    return " · ".join(f"{n:,} {what}" for what, n in counts.items() if isinstance(n, int) and n)


def say_removed(summary: Mapping[str, Any]) -> None:
    """The first problems that were left out, and what they repeat; the manifest has all."""
    from prmdata.terminal import say

    removed = summary.get("removed", [])
    for problem in removed[:SHOWN]:
        if "in" in problem:
            say(f"export: problem {problem['problem']} is in {problem['in']}: “{problem['words']}”")
        else:
            say(f"export: problem {problem['problem']} is nearly {problem['nearly']}")
    if len(removed) > SHOWN:
        say(f"export: and {len(removed) - SHOWN:,} more problems: see --summary or the manifest")
