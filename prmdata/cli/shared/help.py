"""Help pages in 80 columns: options in panels, examples at the end; without rich, slow to load.

A command's docstring is its help; lines that begin with `$ ` are its examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from prmdata.cli.shared.config import from_config
from prmdata.cli.shared.options import RUN

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

ARGUMENTS, OPTIONS = "Arguments", "Options"
NUMBERS = {"<int>": "N", "<int range>": "N", "<float>": "X", "<float range>": "X", "<str>": "TEXT"}
"""What stands for a value in place of the names of its type."""


def split_docstring(text: str) -> tuple[str, list[str]]:
    """The help, and the examples."""
    lines = [line.strip() for line in text.strip().splitlines()]
    examples = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return "\n".join(line for line in lines if not line.startswith("$ ")).strip(), examples


class Page(TyperCommand):
    """A command whose options are grouped in panels, and that reads `--config`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.help, self.examples = split_docstring(self.help or "")

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, from_config(self, ctx, args))

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panel = _panel(parameter)
                panels.setdefault(panel, []).append((_plain(record[0]), record[1]))
        last = RUN if RUN in panels else OPTIONS
        rest = panels.pop(OPTIONS)  # help and config, which every command has, come last
        panels[last] = [*panels.pop(RUN, []), *rest]
        for name, rows in panels.items():
            with formatter.section(name):
                formatter.write_dl(rows, col_max=26)
        if self.examples:
            with formatter.section("Examples"):
                _write_examples(formatter, self.examples)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        del ctx, formatter  # examples take its place


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    return getattr(parameter, "rich_help_panel", None) or OPTIONS


class Contents(TyperGroup):
    """The program itself: its commands in panels, described by their first sentences."""

    panels: Mapping[str, Sequence[Callable[..., None]]]

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        rows = [record for p in self.get_params(ctx) if (record := p.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(rows, col_max=26)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        del ctx
        for panel, functions in self.panels.items():
            rows = [(f.__name__.rstrip("_"), _first_line(f)) for f in functions]
            with formatter.section(panel):
                formatter.write_dl(rows)


def _first_line(function: Callable[..., None]) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


def _plain(names: str) -> str:
    """`--limit <int range>` → `--limit N`."""
    return re.sub(r"<[^>]+>", lambda found: NUMBERS.get(found[0], found[0]), names)


def _write_examples(formatter: HelpFormatter, examples: Iterable[str]) -> None:
    for example in examples:
        for line in shell_lines(f"$ {example}", formatter.width - formatter.current_indent):
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def shell_lines(text: str, width: int) -> list[str]:
    """A command over several lines, which can be pasted whole."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) + 3 > width:
            lines.append(f"{line} \\")
            line = f"    {word}"
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
