"""Text → where its sentences end."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from prmdata.traces.spans import Span

BRIEF = 25
"""Characters. A briefer sentence without a number, such as "Wait.", joins the next one."""

_END = re.compile(
    r"""(?<=[.!?。])(?:["')\]*$]|\\[)\]])*\s+(?=["'(\[*$\\]*[A-Z0-9]|\$|\\\()|(?<=[。！？])"""
)
"""A full stop, what closes quotes and formulas, spaces, and what a sentence may begin with."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|Dr|Mr|Mrs|Ms|St|Prof|No|Eq|Fig|approx|[ap]\.m|[A-Z])|^\s*\d{1,3}"
    r"|\n\s*\d{1,3})\.$"
)
_DIGIT = re.compile(r"\d")


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    for match in _END.finditer(text, start, len(text) if end is None else end):
        before = text[max(start, match.start() - 12) : match.start()]
        if not _ABBREVIATION.search(before):
            yield match.end()


def sentences(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[int]:
    """Where sentences begin, without the first: never in a span, nor before a displayed one."""
    starts = [span.start for span in spans]
    last = start
    for place in sentence_ends(text, start, end):
        at = bisect_right(starts, place) - 1
        span = spans[at] if at >= 0 and place < spans[at].end else None
        if span is not None and (place > span.start or span.displayed):
            continue
        if place - last < BRIEF and not _DIGIT.search(text, last, place):
            continue
        if end - place < BRIEF and not _DIGIT.search(text, place, end):
            continue
        yield place
        last = place
