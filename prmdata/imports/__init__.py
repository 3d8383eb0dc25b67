"""Process data and traces that people already have → traces. A name here is the word after
`--from`; without it the layout is told from the columns of the first row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, rows
from prmdata.imports.chat import Chat
from prmdata.imports.columns import Columns
from prmdata.imports.contract import Layout
from prmdata.imports.math_shepherd import MathShepherd
from prmdata.imports.openr import OpenrFlat, OpenrTree
from prmdata.imports.prm800k import Prm800k
from prmdata.imports.processbench import Processbench
from prmdata.records import Trace
from prmdata.registry import Registry, make

__all__ = ["IMPORTS", "Layout", "read"]

IMPORTS: Registry[type[Layout]] = Registry(
    "layout",
    "prmdata.imports",
    {
        "processbench": Processbench,
        "prm800k": Prm800k,
        "math-shepherd": MathShepherd,
        "openr-tree": OpenrTree,
        "openr-flat": OpenrFlat,
        "chat": Chat,
        "columns": Columns,
    },
)
"""They are tried in this order on the first row; plug-ins come first."""


def read(
    source: str, name: str | None, settings: Mapping[str, Any]
) -> Iterator[Trace | Unreadable]:
    """The traces of a file's rows; a row that is not of the layout says why."""
    layout = make(IMPORTS, name, settings) if name else None
    for row, where in rows.read(source):
        if isinstance(row, Unreadable):
            yield row
            continue
        if layout is None:
            layout = make(IMPORTS, guessed(row, where), settings)
        try:
            yield from layout.traces(row, where)
        except InputError as error:
            yield Unreadable(where, str(error))
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"{where}: not of the layout ({type(error).__name__}: {error})"
            yield Unreadable(where, reason)


def guessed(row: Mapping[str, Any], where: str) -> str:
    for name, layout in IMPORTS.items():
        if layout.fits(row):
            return name
    raise UsageError(
        f"{where}: cannot tell the layout from the columns {', '.join(row)}; name it with --from "
        "or its columns with --fields question=COLUMN,response=COLUMN,answer=COLUMN"
    )
