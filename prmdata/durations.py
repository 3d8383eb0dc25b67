"""Durations as people write and read them."""

from __future__ import annotations

import re

from prmdata.errors import UsageError

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_seconds(text: str, option: str) -> float:
    """`90s`, `10m`, `1.5h`; a bare number is seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None:
        raise UsageError(f"{option} {text}: write a duration like 90s, 10m or 2h")
    return float(found[1]) * UNITS[found[2]]


def spell(seconds: float) -> str:
    """`40 s`, `1 min 05 s`, `10 min`, `2 h 05 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{rest} s"
