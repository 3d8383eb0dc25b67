"""The letter that a solution of a multiple-choice problem chooses."""

from __future__ import annotations

import re

_ALONE = re.compile(r"[(\[*\s]{0,6}([A-J])(?:[)\].:*]|\b(?![a-z']))")
_SAID = re.compile(
    r"(?:answer|option|choice)(?:\s{1,3}(?:is|must be|should be))?[\s:*_$]{0,9}"
    r"(?:option |choice )?[*_$]{0,3}"
    r"(?:\\(?:boxed|text|mathrm|textbf)\{)?[(\[]?([A-J])[)\]]?(?![a-zA-Z'])",
    re.IGNORECASE,
)
_COMMANDS = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s{0,3}")
_TAG = re.compile(r"<answer>[\s(]{0,9}([A-J])\b", re.IGNORECASE)


def chosen(tail: str, boxed: str | None) -> str | None:
    if boxed is not None:
        inner = _COMMANDS.sub("", boxed[:200]).strip("{}() .")
        return inner[0].upper() if re.fullmatch(r"[A-Ja-j](?:[).:]?\s.*)?", inner) else None
    said = [*_TAG.finditer(tail), *_SAID.finditer(tail)]
    if said:
        return max(said, key=lambda found: found.start())[1].upper()
    line = tail.rstrip().rpartition("\n")[2].strip()
    alone = _ALONE.match(line[:400])
    return alone[1] if alone else None
