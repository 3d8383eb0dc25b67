"""Text → steps, so that the steps join to the text byte for byte.

Separators stay with the step they end. A step always says something: white space and bare
`<think>` tags join a neighbour. What stands after `</think>` starts a step of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prmdata.errors import UsageError, unknown

_LINE = re.compile(r"\n\s*")
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_NUMBERED = re.compile(r"(?m)^(?=[#*\s]{0,6}step\s+\d+)", re.IGNORECASE)
_ANSWER_LINE = re.compile(r"(?m)^(?=[#*\s]{0,6}(?:the |final )+answer\b)", re.IGNORECASE)
_SENTENCE = re.compile(r"""(?<=[.!?。])["')\]*]*\s+(?=["'(\[*$\\]*[A-Z0-9])|(?<=[。！？])""")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|Dr|Mr|Mrs|Ms|Prof|No|Eq|Fig|approx|[A-Z])\.$")
_THINK_END = re.compile(r"</think>\s*")
_EMPTY = re.compile(r"(?:\s|</?think>)*")


def _ends(pattern: re.Pattern[str]) -> Callable[[str], Iterable[int]]:
    return lambda text: (match.end() for match in pattern.finditer(text))


def _numbered(text: str) -> Iterable[int]:
    yield from (match.start() for match in _NUMBERED.finditer(text))
    yield from (match.start() for match in _ANSWER_LINE.finditer(text))


def _sentences(text: str) -> Iterable[int]:
    for match in _SENTENCE.finditer(text):
        if not _ABBREVIATION.search(text[max(0, match.start() - 12) : match.start()]):
            yield match.end()


def _auto(text: str) -> Iterable[int]:
    return _ends(_BLANK)(text) if _BLANK.search(text.strip()) else _ends(_LINE)(text)


SPLITTERS: dict[str, Callable[[str], Iterable[int]]] = {
    "auto": _auto,
    "lines": _ends(_LINE),
    "paragraphs": _ends(_BLANK),
    "numbered": _numbered,
    "sentences": _sentences,
}
"""Name → where steps begin. `auto`: paragraphs where there are blank lines, else lines.
`numbered`: at `Step N` and at the answer's line. Also `regex:PATTERN`: ends after a match."""


def splitter(name: str) -> Callable[[str], list[str]]:
    """The function that splits a text as `name` says."""
    if name.startswith("regex:"):
        try:
            cuts = _ends(re.compile(name.removeprefix("regex:")))
        except re.error as error:
            raise UsageError(f"--steps {name}: not a regular expression ({error})") from None
    elif name in SPLITTERS:
        cuts = SPLITTERS[name]
    else:
        raise unknown("way to split steps", name, [*SPLITTERS, "regex:PATTERN"])
    return lambda text: _split(text, cuts)


def _split(text: str, cuts: Callable[[str], Iterable[int]]) -> list[str]:
    places = {place for place in cuts(text) if 0 < place < len(text)}
    places.update(m.end() for m in _THINK_END.finditer(text) if m.end() < len(text))
    ends = [*sorted(places), len(text)]
    pieces: list[str] = []
    start = 0
    lead = ""
    for end in ends:
        piece = lead + text[start:end]
        start, lead = end, ""
        if not _EMPTY.fullmatch(piece):
            pieces.append(piece)
        elif pieces:
            pieces[-1] += piece
        else:
            lead = piece
    if lead:
        pieces.append(lead)
    return pieces
