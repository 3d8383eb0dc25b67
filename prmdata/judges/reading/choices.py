"""A judge's words → which of two it prefers, or a score."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

Chosen = Literal["A", "B", "tie"]
_VERDICT = re.compile(r"<verdict>\s*(A|B|tie)\s*</verdict>", re.IGNORECASE)
_SCORE = re.compile(r"<score>\s*(\d)\s*</score>", re.IGNORECASE)
LONGEST = 50_000


@dataclass(frozen=True, slots=True)
class Choice:
    chosen: Chosen
    reason: str | None


def choice(text: str) -> Choice | None:
    """The last verdict between its tags; two that contradict each other are none."""
    text = text[-LONGEST:]
    found = list(_VERDICT.finditer(text))
    if not found or len({match[1].lower() for match in found[-2:]}) > 1:
        return None
    word = found[-1][1]
    words = re.sub(r"^.*</think(?:ing)?>", "", text[: found[-1].start()], flags=re.DOTALL)
    chosen: Chosen = "tie" if word.lower() == "tie" else "A" if word.upper() == "A" else "B"
    return Choice(chosen, words.strip() or None)


def json_value(text: str) -> object:
    """The last JSON object or list of a text, whatever stands around it; `None` where none is."""
    text = text[-LONGEST:]
    for start in sorted((m.start() for m in re.finditer(r"[\[{]", text)), reverse=True)[:100]:
        try:
            read, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if not re.search(r"[\]}]", text[end:]):
            return read
    return None


def score(text: str, most: int) -> int | None:
    """The last score between its tags, from 0 to `most`."""
    found = _SCORE.findall(text[-LONGEST:])
    return int(found[-1]) if found and int(found[-1]) <= most else None
