"""Text of others in a dataset's card: shown as it stands, neither Markdown nor HTML."""

from __future__ import annotations

import re

from prmdata.terminal import visible

LONGEST = 300
"""Characters of a name or a prompt that are shown."""
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~&@:!$()]|(?<=[wW])\.")


def escaped(text: str) -> str:
    """In a line of text or a cell of a table. Links are left as text too."""
    return _MARKS.sub(r"\\\g<0>", _line(text))


def code(text: str) -> str:
    """As code, between more backticks than there are in it."""
    line = _line(text).replace("|", "\u2758")  # a bar ends a cell, also in code
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    edge = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def _line(text: str) -> str:
    line = visible(" ".join(text[: 2 * LONGEST].split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
