"""Text → steps, so that the steps join to the text byte for byte.

A step ends after the last line break between it and the next, or else before the spaces between
them: there a tokenizer ends a token too (its tokens begin with the space before a word), so that a
prefix has the tokens that it has in the whole. A step always says something: white space and bare
`<think>` tags join a neighbour. What stands after `</think>` starts a step of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from prmdata.errors import UsageError, unknown

_LINE = re.compile(r"\n\s*")
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_NUMBERED = re.compile(r"(?m)^(?=[#*\s]{0,6}step\s+\d+)", re.IGNORECASE)
_ANSWER_LINE = re.compile(r"(?m)^(?=[#*\s]{0,6}(?:the |final )+answer\b)", re.IGNORECASE)
_SENTENCE = re.compile(r"""(?<=[.!?。])["')\]*]*\s+(?=["'(\[*$\\]*[A-Z0-9])|(?<=[。！？])""")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|Dr|Mr|Mrs|Ms|Prof|No|Eq|Fig|approx|[A-Z])\.$")
_THINK_END = re.compile(r"</think>\s*")
_EMPTY = re.compile(r"(?:\s|</?think>)*")
_SIZES = re.compile(r"(?:,(?:min|max)=\d+)+$")


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
`numbered`: at `Step N` and at the answer's line. Also `regex:PATTERN`: ends after a match. With
`,min=80,max=100` short neighbours are joined to steps of 80 characters, 100 steps at most."""


def splitter(spec: str) -> Callable[[str], list[str]]:
    """The function that splits a text as `spec` says: `auto`, or `lines,min=80,max=100`."""
    sizes = _SIZES.search(spec)
    name = spec[: sizes.start()] if sizes else spec
    asked = dict(re.findall(r"(min|max)=(\d+)", sizes[0])) if sizes else {}
    least, most = int(asked.get("min", 0)), int(asked.get("max", 0))
    cuts = _cuts(name)
    return lambda text: _joined(_split(text, cuts), least, most)


def _cuts(name: str) -> Callable[[str], Iterable[int]]:
    """Where a text may be cut; a pattern of the user's is taken at its word."""
    if name.startswith("regex:"):
        try:
            return _ends(re.compile(name.removeprefix("regex:")))
        except re.error as error:
            raise UsageError(f"--steps {name}: not a regular expression ({error})") from None
    if name not in SPLITTERS:
        raise unknown("way to split steps", name, [*SPLITTERS, "regex:PATTERN"])
    return lambda text: (_between(text, place) for place in SPLITTERS[name](text))


def _between(text: str, place: int) -> int:
    """The place in the white space around `place` at which tokens end as well."""
    start = end = place
    while start > 0 and text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end].isspace():
        end += 1
    newline = text.rfind("\n", start, end)
    return start if newline < 0 else newline + 1


def _split(text: str, cuts: Callable[[str], Iterable[int]]) -> list[str]:
    places = set(cuts(text))
    places.update(_between(text, match.end()) for match in _THINK_END.finditer(text))
    ends = [*sorted(place for place in places if 0 < place < len(text)), len(text)]
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


def _joined(pieces: list[str], least: int, most: int) -> list[str]:
    """Neighbours joined until all but the last have `least` characters and there are at most
    `most` (0: any number)."""
    joined = _packed(pieces, least)
    if not 0 < most < len(joined):
        return joined
    low, high = least, sum(map(len, pieces))
    while low < high:  # the smallest size that leaves few enough
        middle = (low + high) // 2
        low, high = (low, middle) if len(_packed(pieces, middle)) <= most else (middle + 1, high)
    return _packed(pieces, low)


def _packed(pieces: Sequence[str], least: int) -> list[str]:
    """Never across the end of thinking."""
    packed: list[str] = []
    room = False
    for piece in pieces:
        if room and len(packed[-1]) < least:
            packed[-1] += piece
        else:
            packed.append(piece)
        room = "</think>" not in piece
    return packed
