"""Process data and traces that people already have → traces. A name here is the word after
`--from`; without it the layout is told from the columns of the first row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prmdata.errors import InputError, UsageError, unknown
from prmdata.files import Unreadable
from prmdata.imports.chat import Chat
from prmdata.imports.columns import Columns
from prmdata.imports.contract import Layout
from prmdata.imports.math_shepherd import MathShepherd
from prmdata.imports.openr import OpenrFlat, OpenrTree
from prmdata.imports.prm800k import Prm800k
from prmdata.imports.processbench import Processbench
from prmdata.plugins import with_plugins
from prmdata.problems import rows
from prmdata.records import Trace
from prmdata.settings import configured

__all__ = ["IMPORTS", "Layout", "known", "layout_named", "read"]

IMPORTS: dict[str, type[Layout]] = {
    "processbench": Processbench,
    "prm800k": Prm800k,
    "math-shepherd": MathShepherd,
    "openr-tree": OpenrTree,
    "openr-flat": OpenrFlat,
    "chat": Chat,
    "columns": Columns,
}
"""In this order they are tried on a first row."""


def known() -> dict[str, type[Layout]]:
    return with_plugins("prmdata.imports", IMPORTS)


def layout_named(name: str, settings: Mapping[str, Any]) -> Layout:
    table = known()
    if name not in table:
        raise unknown("layout", name, table)
    return configured(table[name], settings)


def read(
    source: str, name: str | None, settings: Mapping[str, Any]
) -> Iterator[Trace | Unreadable]:
    """The traces of a file's rows; a row that is not of the layout says why."""
    layout = layout_named(name, settings) if name else None
    for row, where in rows.read(source):
        if isinstance(row, Unreadable):
            yield row
            continue
        if layout is None:
            layout = layout_named(guessed(row, where), settings)
        try:
            yield from layout.traces(row, where)
        except InputError as error:
            yield Unreadable(where, str(error))
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"{where}: not of the layout ({type(error).__name__}: {error})"
            yield Unreadable(where, reason)


def guessed(row: Mapping[str, Any], where: str) -> str:
    for name, layout in known().items():
        if layout.fits(row):
            return name
    raise UsageError(
        f"{where}: cannot tell the layout from the columns {', '.join(row)}; name it with --from "
        "or its columns with --fields question=COLUMN,response=COLUMN,answer=COLUMN"
    )
