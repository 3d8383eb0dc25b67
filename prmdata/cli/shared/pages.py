"""Tables and pages about the entries of a registry: methods, verifiers, formats, layouts."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator

from prmdata.cli.shared.help import shell_lines
from prmdata.settings import Setting, documented

WIDTH = 80
Row = tuple[str, ...]


def summary_of(kind: type) -> str:
    """The first paragraph of its file's docstring."""
    return _paragraphs(kind)[0] if _paragraphs(kind) else ""


def table(rows: Iterable[Row], header: Row) -> Iterator[str]:
    """Columns as wide as they need to be; the last one takes the rest and is wrapped."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    indent = sum(widths) + 2 * len(widths) + 2
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line, widths, strict=False)]
        first, *rest = textwrap.wrap(line[-1], WIDTH - indent) or [""]
        yield ("  " + "  ".join([*cells, first])).rstrip()
        yield from (" " * indent + text for text in rest)


def page(
    kind: type, title: str, facts: Iterable[str], command: str, option: str = "--set"
) -> Iterator[str]:
    """Everything there is to know of one entry; `option` takes its settings."""
    yield title
    for paragraph in [*_paragraphs(kind), *_when(kind)]:
        yield ""
        yield from textwrap.wrap(paragraph, WIDTH)
    yield ""
    yield from facts
    settings = documented(kind)
    if settings:
        yield "Settings:"
        for setting in settings:
            yield from _setting(setting, option)
    if papers := re.findall(r"arXiv (\d{4}\.\d{4,5})", " ".join(_paragraphs(kind))):
        yield "Paper:"
        yield from (f"  https://arxiv.org/abs/{paper}" for paper in papers)
    yield "Example:"
    example = f"$ {command.format(set=_example(settings))}"
    yield from (f"  {line}" for line in shell_lines(example, WIDTH - 2))


def _setting(setting: Setting, option: str) -> Iterator[str]:
    default = "" if setting.default is None else f"={setting.default}"
    yield f"  {option} {setting.name}{default}  ({setting.allowed})"
    for paragraph in setting.text.split("\n\n") if setting.text else []:
        yield from textwrap.wrap(
            paragraph, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6
        )


def _example(settings: Iterable[Setting]) -> str:
    """One setting in use, so that nobody has to guess how."""
    for setting in settings:
        if setting.default not in (None, "", "None", "False", "()"):
            return f" --set {setting.name}={setting.default}"
    return ""


def _paragraphs(kind: type) -> list[str]:
    module = inspect.getmodule(kind)
    text = inspect.cleandoc(module.__doc__ or "") if module else ""
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]


def _when(kind: type) -> list[str]:
    """The class's own docstring, if it has one: when to take it."""
    text = kind.__doc__ or ""
    written = not text.startswith(f"{kind.__name__}(")  # else it is the signature
    return inspect.cleandoc(text).split("\n\n") if text and written else []
