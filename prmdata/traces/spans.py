"""Text → its stretches that no step may end in: fenced code, displayed formulas, drawings.

One pass over the marks that open and close them; a mark whose partner is missing counts as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_FORMULA = 4000
"""Characters; an opening mark that is not closed within them is taken for text."""

_FENCE = re.compile(r"(?m)^[ \t]*(```|~~~)[`~]*[ \t]*([^\n`]*)$")
_MARK = re.compile(
    r"\\\\|\\(?P<bracket>[\[\]()])|(?P<dollars>\$\$)|\\(?P<env>begin|end)\{[a-zA-Z]{1,20}\*?\}"
    r"|\[(?P<asy>/?asy)\]"
)
_OPENERS = {"[": "]", "(": ")", "$$": "$$", "begin": "end", "asy": "/asy"}


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    displayed: bool
    """False: it stands within a line, as `\\(x\\)` does."""


def spans_of(text: str) -> list[Span]:
    """In order; they do not overlap."""
    spans: list[Span] = []
    start = 0
    for fence in [*_fences(text), Span(len(text), len(text), True)]:
        spans += _formulas(text, start, fence.start)
        spans.append(fence)
        start = fence.end
    return spans[:-1]


def _fences(text: str) -> Iterator[Span]:
    """Code between two lines of backticks; of a block that was cut off, all that follows."""
    opening: re.Match[str] | None = None
    for mark in _FENCE.finditer(text):
        if opening is None:
            opening = mark
        elif mark[1] == opening[1] and not mark[2]:
            yield Span(opening.start(), mark.end(), True)
            opening = None
    if opening is not None and opening[2]:
        yield Span(opening.start(), len(text), True)


def _formulas(text: str, start: int, end: int) -> Iterator[Span]:
    opened, at, depth = "", 0, 0
    for mark in _MARK.finditer(text, start, end):
        name = mark["bracket"] or mark["dollars"] or mark["env"] or mark["asy"]
        if name is None:  # a line break of LaTeX, which may stand before a bracket
            continue
        if opened and mark.end() - at > LONGEST_FORMULA:
            opened = ""
        if opened and name == _OPENERS[opened] and (depth := depth - 1) == 0:
            yield Span(at, mark.end(), opened != "(")
            opened = ""
        elif opened == name == "begin":
            depth += 1
        elif name in _OPENERS and (not opened or name == opened or opened == "("):
            opened, at, depth = name, mark.start(), 1
