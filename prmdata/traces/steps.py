"""Text → steps, so that the steps join to the text byte for byte.

A step ends after the last line break between it and the next, or else before the spaces between
them: there a tokenizer ends a token too (its tokens begin with the space before a word), so that a
prefix has the tokens that it has in the whole. A step always says something: white space and bare
`<think>` tags join a neighbour. What stands after `</think>` starts a step of its own.

All of it takes time linear in the text, whatever the text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from prmdata.errors import UsageError, unknown
from prmdata.traces.blocks import blocks
from prmdata.traces.sentences import sentence_ends

_LINE = re.compile(r"\n\s*")
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_NUMBERED = re.compile(r"(?m)^(?=[#*\s]{0,6}step\s+\d+)", re.IGNORECASE)
_ANSWER_LINE = re.compile(r"(?m)^(?=[#*\s]{0,6}(?:the |final )+answer\b)", re.IGNORECASE)
_THINK_END = re.compile(r"</think>\s*")
_EMPTY = re.compile(r"(?:\s|</?think>)*")
_SIZES = re.compile(r"(?:,(?:min|max)=\d+)+$")


def _ends(pattern: re.Pattern[str]) -> Callable[[str], Iterable[int]]:
    return lambda text: (match.end() for match in pattern.finditer(text))


def _numbered(text: str) -> Iterator[int]:
    yield from (match.start() for match in _NUMBERED.finditer(text))
    yield from (match.start() for match in _ANSWER_LINE.finditer(text))


def _auto(text: str) -> Iterator[int]:
    """The blocks of what is thought, and of what is said after it."""
    bounds = [0, *(match.end() for match in _THINK_END.finditer(text)), len(text)]
    for start, end in itertools.pairwise(bounds):
        yield from (start + place for place in blocks(text[start:end]))


SPLITTERS: dict[str, Callable[[str], Iterable[int]]] = {
    "auto": _auto,
    "lines": _ends(_LINE),
    "paragraphs": _ends(_BLANK),
    "numbered": _numbered,
    "sentences": sentence_ends,
}
"""Name → where steps begin. `auto`: blocks as a person would judge them (see `blocks`).
`numbered`: at `Step N` and at the answer's line. Also `regex:PATTERN`: ends after a match. With
`,min=80,max=100` short neighbours are joined to steps of 80 characters, 100 steps at most."""


def splitter(spec: str) -> Callable[[str], list[str]]:
    """The function that splits a text as `spec` says: `auto`, or `lines,min=80,max=100`."""
    sizes = _SIZES.search(spec)
    name = spec[: sizes.start()] if sizes else spec
    limits = dict(re.findall(r"(min|max)=(\d+)", sizes[0])) if sizes else {}
    least, most = int(limits.get("min", 0)), int(limits.get("max", 0))
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
        raise unknown("splitter of steps", name, [*SPLITTERS, "regex:PATTERN"])
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
    starts: list[int] = []
    for start, end in itertools.pairwise([0, *ends]):
        if not _EMPTY.fullmatch(text, start, end):
            starts.append(start)
    bounds = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds) if start < end]


def _joined(pieces: list[str], least: int, most: int) -> list[str]:
    """Neighbours joined until all but the last have `least` characters and there are at most
    `most` (0: any number)."""
    sizes = [len(piece) for piece in pieces]
    closing = [False, *("</think>" in piece for piece in pieces)]
    starts = _packed(sizes, closing, least)
    if 0 < most < len(starts):
        low, high = least, sum(sizes)
        while low < high:  # the smallest size that leaves few enough
            middle = (low + high) // 2
            few = len(_packed(sizes, closing, middle)) <= most
            low, high = (low, middle) if few else (middle + 1, high)
        starts = _packed(sizes, closing, low)
    bounds = itertools.pairwise([*starts, len(pieces)])
    return ["".join(pieces[start:end]) for start, end in bounds]


def _packed(sizes: Sequence[int], closing: Sequence[bool], least: int) -> list[int]:
    """The numbers of the pieces that begin a step; never one across the end of thinking."""
    starts: list[int] = []
    length = 0
    for number, size in enumerate(sizes):
        if not starts or length >= least or closing[number]:
            starts.append(number)
            length = 0
        length += size
    return starts
