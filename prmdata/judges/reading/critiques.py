"""A judge's words → a verdict and a reason for each step, or nothing.

Lines of JSON come first, wherever they stand; then lines such as `Step 2: 7 * 12 = 84. wrong`; then
boxes under a step's number, as ThinkPRM writes them, also where it thinks (arXiv 2504.16828). What
was read must be a whole check: no step that is not there, none twice with two verdicts, and none
left out before the first wrong one. Anything else is unreadable, and unreadable is never right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from prmdata.records import Verdict

WORDS: dict[str, Verdict] = {
    "right": "right", "correct": "right", "true": "right", "valid": "right", "+": "right",
    "1": "right", "wrong": "wrong", "incorrect": "wrong", "false": "wrong", "invalid": "wrong",
    "-": "wrong", "-1": "wrong", "unknown": "unknown", "neutral": "unknown", "unsure": "unknown",
    "0": "unknown",
}  # fmt: skip
LONGEST = 200_000
"""Characters of an answer that are read."""
_THOUGHT = re.compile(r"^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_BACKSLASH = re.compile(r'\\(?!["\\/bnrtu])')
_DECODER = json.JSONDecoder()
MOST_FAILURES = 500
"""Braces that open nothing which can be read, until no more are tried."""
_LINE = re.compile(
    r"^\W{0,4}(?:step|paragraph)[ _]?(\d{1,4})\W{0,4}[:.)\u2013-]\s*(.*)$", re.I | re.M
)
_STEP = re.compile(r"^\W{0,4}step[ _]?(\d{1,4})\W{0,4}[:.]", re.I | re.M)
_BOX = re.compile(r"\\boxed\{\s*(?:\\text\{\s*)?(correct|incorrect|right|wrong)\s*\}?\s*\}", re.I)
_ENDS = re.compile(r"(\bnot\s+)?\b(right|correct|wrong|incorrect|unknown)\W*$", re.I)
_BEGINS = re.compile(r"^\W{0,4}(not\s+)?(right|correct|wrong|incorrect|unknown)\b(?=\W|$)", re.I)


@dataclass(frozen=True, slots=True)
class Critique:
    verdicts: tuple[Verdict | None, ...]
    """Of each step; `None` where the judge says nothing."""
    reasons: tuple[str | None, ...]

    @property
    def first_wrong(self) -> int | None:
        return next((i for i, v in enumerate(self.verdicts) if v == "wrong"), None)

    @property
    def decision(self) -> tuple[Verdict | None, ...]:
        """The verdicts up to the first wrong one: what it says after that, it says of a solution
        that has failed already."""
        first = self.first_wrong
        return self.verdicts if first is None else self.verdicts[: first + 1]


def critique(text: str, steps: int) -> Critique | None:
    said = _THOUGHT.sub("", text[:LONGEST])
    for reading, part in ((_objects, said), (_lines, said), (_boxes, said), (_boxes, text)):
        if found := list(reading(part[:LONGEST])):
            return _checked(found, steps)
    return None


Said = tuple[int, Verdict | None, str | None]
"""The number of a step from 1, and what was said of it."""


def _objects(text: str) -> Iterator[Said]:
    """What is said in JSON: objects with a step and a verdict, alone or within others."""
    place, failures = 0, 0
    while (place := text.find("{", place)) >= 0 and failures < MOST_FAILURES:
        try:
            found, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = text.find("\n", place)
            found, failures = _mended(text[place : end if end >= 0 else None]), failures + 1
            place += 1
        yield from _within(found)


def _mended(line: str) -> object:
    """A line of JSON with bare backslashes, as formulas have them, or nothing."""
    try:
        return json.loads(_BACKSLASH.sub(r"\\\\", line.strip().rstrip(",")))
    except (ValueError, RecursionError):
        return None


def _within(found: object) -> Iterator[Said]:
    if isinstance(found, dict) and "step" in found and "verdict" in found:
        yield _number(found["step"]), _word(found["verdict"]), _reason(found.get("reason"))
        return
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for value in inner:
        if isinstance(value, dict | list):
            yield from _within(value)


def _number(value: object) -> int:
    """As it stands, or at the end of a word; 0 is nobody's number."""
    if isinstance(value, bool):
        return 0
    found = re.fullmatch(r"\D{0,12}(\d{1,4})", str(value))
    return int(found[1]) if found else 0


def _word(value: object) -> Verdict | None:
    if isinstance(value, bool):
        return "right" if value else "wrong"
    return WORDS.get(str(value).strip(" .!\"'").lower())


def _reason(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _lines(text: str) -> Iterator[Said]:
    for match in _LINE.finditer(text):
        rest = match[2].strip()
        found = _ENDS.search(rest[-80:]) or _BEGINS.match(rest)
        if not found:
            continue
        verdict = WORDS[found[2].lower()]
        if found[1]:
            verdict = "wrong" if verdict == "right" else "unknown"
        reason = _ENDS.sub("", rest).strip(" .-:") or None
        yield int(match[1]), verdict, reason


def _boxes(text: str) -> Iterator[Said]:
    """The last box under each number of a step."""
    _, *found = _STEP.split(text)
    for number, part in zip(found[::2], found[1::2], strict=True):
        if boxes := _BOX.findall(part):
            reason = _BOX.sub("", part).strip() or None
            yield int(number), WORDS[boxes[-1].lower()], reason


def _checked(found: list[Said], steps: int) -> Critique | None:
    verdicts: list[Verdict | None] = [None] * steps
    reasons: list[str | None] = [None] * steps
    for number, verdict, reason in found:
        if not 1 <= number <= steps or verdict is None:
            return None
        if verdicts[number - 1] not in (None, verdict):
            return None
        verdicts[number - 1] = verdict
        reasons[number - 1] = reasons[number - 1] or reason
    made = Critique(tuple(verdicts), tuple(reasons))
    return None if None in made.decision else made
