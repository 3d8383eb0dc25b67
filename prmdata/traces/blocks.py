"""Text → blocks as a person would judge them, one step each: what `--steps auto` does.

Paragraphs where there are blank lines, else lines; and then

- code, displayed formulas, tables and outputs stay with what introduces them;
- headings, and lines that end in a colon, stay with what follows them;
- a numbered item begins a block, and what is indented below an item stays with it;
- a paragraph that is long, or is most of its text, falls into lines, or else into sentences.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from prmdata.traces.sentences import sentences
from prmdata.traces.spans import Span, spans_of

LONG = 500
"""Characters. Of the steps that people judged in ProcessBench's GSM8K part, 1 in 80 is longer."""
SHORT = 100
"""Characters; what is shorter stays whole, even where it is all there is."""

_ITEM = re.compile(r"(?:\d{1,3}[.)]|[-*+•]|\([a-zA-Z\d]{1,3}\))[ \t]")
_NUMBER = re.compile(r"(?:\*\*)?(?:\d{1,3}[.)][ \t]|step[ \t]{1,4}\d)", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}[ \t]|[-*_=]{3,}$")
_BOLD_LINE = re.compile(r"(?:\d{1,3}[.)][ \t]+)?(\*\*|__)[^*\n]{1,120}\1:?$")
_LABEL = re.compile(
    r"[*_#\s]{0,6}(?:step|part|case)[ \t]{1,4}\w{1,4}[*_]{0,2}[.:)]?[*_]{0,2}$", re.I
)
_TITLE = re.compile(r"step[ \t]{1,4}\d{1,3}[.:)] [^\d=]{1,120}(?<![.!?])$", re.IGNORECASE)
_GOES_ON = re.compile(r"[a-z,;.)]")
_FORMULA = re.compile(
    r"(?:\\\((?:(?!\\\)).){1,400}\\\)|\$[^$]{1,400}\$)[.,;]?$|=|\\(?:le|ge|approx|implies)\b"
)
"""A line that is a formula, or the next line of one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank."""

    start: int
    text: str
    """Without the white space around it."""
    indent: int
    after_blank: bool
    inside: bool
    """It begins within code or a formula that an earlier line opened."""
    displayed: bool
    """It begins code or a displayed formula."""


def blocks(text: str) -> Iterator[int]:
    """Where blocks begin."""
    spans = spans_of(text)
    lines = list(_lines(text, [span for span in spans if span.displayed]))
    yield from _split(text, spans, lines, (0, len(text)), nested=True)


def _split(
    text: str,
    spans: Sequence[Span],
    lines: Sequence[Line],
    bounds: tuple[int, int],
    *,
    nested: bool,
) -> Iterator[int]:
    """Where the blocks begin into which these lines fall, which stand between `bounds`."""
    by_paragraph = any(line.after_blank and not line.inside for line in lines[1:])
    numbers = [0, *_starts(lines, by_paragraph, nested=nested), len(lines)]
    for first, last in itertools.pairwise(numbers):
        start = lines[first].start if first else bounds[0]
        end = lines[last].start if last < len(lines) else bounds[1]
        if first:
            yield start
        size = end - start
        if size <= LONG and (size <= SHORT or 2 * size < len(text)):
            continue
        if last - first > 1 and (by_paragraph or last - first < len(lines)):
            paragraph = [replace(line, after_blank=False) for line in lines[first:last]]
            yield from _split(text, spans, paragraph, (start, end), nested=size <= LONG)
        else:
            yield from sentences(text, start, end, spans)


def _starts(lines: Sequence[Line], by_paragraph: bool, *, nested: bool) -> list[int]:
    """The numbers of the lines that begin a block, without the first."""
    starts: list[int] = []
    item = lines[0].indent if lines and _ITEM.match(lines[0].text) else None
    for number in range(1, len(lines)):
        before, line = lines[number - 1], lines[number]
        within_item = nested and item is not None and line.indent > item
        if (
            not line.inside
            and not within_item
            and not (by_paragraph and not _begins_paragraph(before, line))
            and not _belongs(before, line)
        ):
            starts.append(number)
            item = None
        if not line.inside and not within_item and _ITEM.match(line.text):
            item = line.indent
    return starts


def _begins_paragraph(before: Line, line: Line) -> bool:
    return (
        line.after_blank
        or before.inside
        or before.displayed
        or bool(_NUMBER.match(line.text))
        or line.text.startswith("#")
    )


def _belongs(before: Line, line: Line) -> bool:
    """Whether a line belongs to the block of the line before it."""
    if before.inside or before.displayed:
        return line.displayed or bool(_GOES_ON.match(line.text))
    return (
        line.displayed
        or line.text.startswith("|")
        or bool(_FORMULA.match(line.text))
        or _introduces(before.text)
    )


def _introduces(text: str) -> bool:
    return (
        text.endswith((":", ":**", "："))
        or bool(_HEADING.match(text))
        or (bool(_BOLD_LINE.match(text)) and text.rstrip("*_:")[-1:] not in ".!?")
        or bool(_LABEL.match(text))
        or bool(_TITLE.match(text))
    )


def _lines(text: str, displayed: Sequence[Span]) -> Iterator[Line]:
    starts = [span.start for span in displayed]
    blank = False
    at = 0
    for whole in text.split("\n"):
        stripped = whole.strip()
        if not stripped:
            blank = True
        else:
            indent = len(whole) - len(whole.lstrip())
            begin = at + indent
            place = bisect_right(starts, begin) - 1
            covered = place >= 0 and begin < displayed[place].end
            opens = covered and displayed[place].start == begin
            yield Line(at, stripped, indent, blank, covered and not opens, opens)
            blank = False
        at += len(whole) + 1
