"""Trace → the Python it shows, each block with the output that the trace states for it."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from prmdata.records import Step, Trace

_FENCE = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$")
_CODE = ("python", "py", "python3")
_OUTPUT = ("output", "stdout")
_TEXT = ("text", "txt", "plaintext", "console", "")
"""Fences that hold an output only where the words before them say so, or there are none."""
_ANNOUNCED = re.compile(r"\b(?:output|prints?|printed|result|running|execut\w+)\b", re.IGNORECASE)
_SENTENCE = re.compile(
    r"\b(?:prints|outputs|displays|(?:output|printed (?:value|result)) is):?\s+"
    r"(?:`+([^`\n]+)`+|\"([^\"\n]+)\"|([-+]?[$]?\d[\d,.]*(?:e[-+]?\d+)?\b%?|True\b|False\b))",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|never|if|should|would|instead|expected?|suppose)\b|n't\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Snippet:
    step: int
    """Where its block ends."""
    code: str
    stated: str | None = None
    """The output that is stated for it."""
    by: Literal["block", "sentence"] = "block"


class _Piece(NamedTuple):
    kind: str
    """`code`, `output`, `text` (a fence that may be an output), `other`, or `prose`."""
    text: str
    step: int


def snippets(trace: Trace) -> list[Snippet]:
    """In the order of the trace; blocks may run across steps."""
    found: list[Snippet] = []
    between = ""
    for piece in _pieces(trace):
        if piece.kind == "code":
            found.append(Snippet(piece.step, piece.text, trace.steps[piece.step].result))
            between = ""
        elif found and found[-1].stated is None:
            found[-1] = _with_statement(found[-1], piece, between)
            between += piece.text
    return found


def _with_statement(snippet: Snippet, piece: _Piece, between: str) -> Snippet:
    announced = not between.strip() or _ANNOUNCED.search(between[-80:])
    if piece.kind == "output" or (piece.kind == "text" and announced):
        return replace(snippet, stated=piece.text)
    if piece.kind == "prose" and (stated := _stated(piece.text)) is not None:
        return replace(snippet, stated=stated, by="sentence")
    return snippet


def _stated(prose: str) -> str | None:
    """What the first sentence that names an output says it is."""
    found = _SENTENCE.search(prose)
    if found is None:
        return None
    before = re.split(r"[.!?\n]", prose[: found.start()])[-1]
    if _DOUBT.search(before):
        return None
    return next(group for group in found.groups() if group).strip().rstrip(".,")


def _pieces(trace: Trace) -> Iterator[_Piece]:
    numbered = list(enumerate(trace.steps))
    for kind, run in itertools.groupby(numbered, key=lambda item: _kind(item[1])):
        steps = list(run)
        if kind == "prose":
            yield from _fenced(steps)
        else:
            for at, step in steps:
                yield _Piece(kind, _unfenced(step.text), at)


def _kind(step: Step) -> str:
    return {"code": "code", "observation": "output", "tool_call": "other"}.get(step.kind, "prose")


def _unfenced(text: str) -> str:
    blocks = [match[3] for match in _FENCE.finditer(text)]
    return textwrap.dedent("\n".join(blocks) if blocks else text)


def _fenced(steps: list[tuple[int, Step]]) -> Iterator[_Piece]:
    text = "".join(step.text for _, step in steps)
    ends = list(itertools.accumulate(len(step.text) for _, step in steps))

    def piece(kind: str, content: str, end: int) -> _Piece:
        return _Piece(
            kind, content, next(at for (at, _), e in zip(steps, ends, strict=True) if end <= e)
        )

    start = 0
    for match in _FENCE.finditer(text):
        yield piece("prose", text[start : match.start()], match.start())
        word = match[2].lower()
        kind = "code" if word in _CODE else "output" if word in _OUTPUT else "other"
        kind = "text" if word in _TEXT else kind
        yield piece(kind, textwrap.dedent(match[3]), match.end())
        start = match.end()
    yield piece("prose", text[start:], len(text))
