"""A judge's words → the first wrong paragraph that it names, as ProcessBench's critics do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prmdata.judges.reading.critiques import LONGEST

_BOX = re.compile(r"\\boxed\s*\{\s*(?:\\text\s*\{)?\s*(-?\d{1,4})\s*\}?\s*\}")
_BARE = re.compile(r"\s*(-?\d{1,4})\s*")


@dataclass(frozen=True, slots=True)
class Named:
    first: int | None
    """From 0; `None`: no paragraph is wrong."""
    reason: str | None


def index(text: str, steps: int) -> Named | None:
    text = text[-LONGEST:]
    boxes = list(_BOX.finditer(text))
    found = boxes[-1] if boxes else _BARE.fullmatch(text)
    if found is None or not -1 <= int(found[1]) < steps:
        return None
    words = re.sub(r"^.*</think(?:ing)?>", "", text[: found.start()], flags=re.DOTALL).strip()
    number = int(found[1])
    return Named(None if number < 0 else number, words[-2000:] or None)
