"""The one way to a terminal: text of models, files and servers is shown, and steers nothing.

Whatever prmdata prints for people passes `visible`; a test holds that nothing else prints.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # escapes, returns to the start of the line
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # turns of direction, ends of lines
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, tags that nobody sees
)


def visible(text: str) -> str:
    """Text with a sign in place of each character that would steer a terminal."""
    return _STEERS.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 32 else "␡" if code == 127 else "\ufffd"


def say(text: str) -> None:
    """A line of news on stderr; further lines are indented, so that none passes for another's."""
    print(visible(text).replace("\n", "\n  "), file=sys.stderr, flush=True)  # noqa: T201


def print_line(text: str, end: str = "\n") -> None:
    """A line on stdout, for people."""
    print(visible(text), end=end, flush=True)  # noqa: T201


def print_error(text: str) -> None:
    """A message on stderr, which may have several lines."""
    print(visible(text), file=sys.stderr, flush=True)  # noqa: T201


def console(**options: Any) -> Console:
    """Rich's console: no text in it is read as markup, and none of it steers."""
    return _console_class()(markup=False, emoji=False, highlight=False, **options)


@functools.cache
def _console_class() -> type[Console]:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Clean(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else visible(text), style, control)

        def on_broken_pipe(self) -> None:  # rich would leave with exit code 1
            raise BrokenPipeError

    return Clean
