"""Process data and traces that people already have → traces. A name here is the word after
`--from`; without it the layout is told from the columns of the first row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, rows
from prmdata.files.nested import check_columns
from prmdata.imports.agentprocessbench import Agentprocessbench
from prmdata.imports.atif import Atif
from prmdata.imports.big_bench_mistake import BigBenchMistake
from prmdata.imports.chat import Chat
from prmdata.imports.columns import Columns
from prmdata.imports.contract import Layout, Whole
from prmdata.imports.judgements import Judgements
from prmdata.imports.math_shepherd import MathShepherd
from prmdata.imports.mr_gsm8k import MrGsm8k
from prmdata.imports.openr import OpenrFlat, OpenrTree
from prmdata.imports.prm800k import Prm800k
from prmdata.imports.processbench import Processbench
from prmdata.imports.sessions import Sessions
from prmdata.imports.stepwise import Stepwise
from prmdata.imports.verifiers import Verifiers
from prmdata.problems import HEAD
from prmdata.problems.contract import IDS
from prmdata.records import Trace
from prmdata.registry import Registry, make

__all__ = ["IMPORTS", "Layout", "read"]

IMPORTS: Registry[type[Layout]] = Registry(
    "layout",
    "prmdata.imports",
    {
        "judgements": Judgements,
        "processbench": Processbench,
        "prm800k": Prm800k,
        "math-shepherd": MathShepherd,
        "mr-gsm8k": MrGsm8k,
        "big-bench-mistake": BigBenchMistake,
        "openr-tree": OpenrTree,
        "openr-flat": OpenrFlat,
        "agentprocessbench": Agentprocessbench,
        "atif": Atif,
        "verifiers": Verifiers,
        "sessions": Sessions,
        "stepwise": Stepwise,
        "chat": Chat,
        "columns": Columns,
    },
)
"""They are tried in this order on the first row; plug-ins come first."""


def read(
    source: str, name: str | None, settings: Mapping[str, Any]
) -> Iterator[Trace | Unreadable]:
    """The traces of a file's rows; a row that is not of the layout says why. Where the row has an
    id, a trace has it for its own."""
    layout = make(IMPORTS, name, settings) if name else None
    found = layout.read(source) if isinstance(layout, Whole) else rows.read(source)
    head = list(itertools.islice(found, HEAD))
    if columns := settings.get("fields"):
        first = [row for row, _ in head if not isinstance(row, Unreadable)]
        check_columns(first, columns.values(), "--fields")
    for row, where in itertools.chain(head, found):
        if isinstance(row, Unreadable):
            yield row
            continue
        if layout is None:
            layout = make(IMPORTS, guessed(row, where), settings)
        try:
            own = own_id(row)
            for trace in (_checked(trace, where) for trace in layout.traces(row, where)):
                yield trace if trace.id or "id" in (columns or ()) else replace(trace, id=own)
        except InputError as error:
            yield Unreadable(where, str(error))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            reason = f"{where}: not of the layout ({type(error).__name__}: {error})"
            yield Unreadable(where, reason)


def _checked(trace: Trace, where: str) -> Trace:
    """Whatever stood in the row, the trace is one that can be written and read again."""
    try:
        trace = msgspec.convert(msgspec.to_builtins(trace), Trace)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: not of the layout ({error})") from None
    if not trace.problem.question.strip():
        raise InputError(f"{where}: the question is empty")
    return trace


def own_id(row: Mapping[str, object]) -> str:
    """The row's own id, or nothing."""
    found = (row.get(column) for column in IDS)
    return next((str(v) for v in found if isinstance(v, str | int) and v != ""), "")


def layout_for(fields: Mapping[str, str]) -> str:
    """The layout that takes columns of these names."""
    return "chat" if "messages" in fields else "columns"


def guessed(row: Mapping[str, object], where: str) -> str:
    for name, layout in IMPORTS.items():
        if layout.fits(row):
            return name
    if isinstance(row.get("problem"), Mapping) and "steps" in row:
        raise UsageError(
            f"{where}: this is a trace already; take the file as it is, with `prmdata label` or "
            "any other stage"
        )
    raise UsageError(
        f"{where}: cannot tell the layout from the columns {', '.join(row)}; name it with --from "
        "or its columns with --fields question=COLUMN,response=COLUMN,answer=COLUMN"
    )
