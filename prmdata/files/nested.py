"""Values of a row by dotted paths: `reward_model.ground_truth`, `messages.0.content`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prmdata.errors import UsageError

DEEPEST = 4
"""Names in a path that is suggested."""


def value_at(row: Mapping[str, object], path: str) -> object:
    """`None` where there is nothing. A column whose own name has dots in it comes first."""
    if path in row:
        return row[path]
    value: object = row
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def check_columns(
    rows: Iterable[Mapping[str, object]], columns: Iterable[str], option: str
) -> None:
    """Refuse a column that none of the rows has, and suggest the nearest one."""
    known = list(dict.fromkeys(path for row in rows for path in _paths(row)))
    for column in filter(None, columns):
        if not known or column in known or _leads_somewhere(column, known):
            continue
        last = column.rpartition(".")[2]
        ends = {path.rpartition(".")[2]: path for path in reversed(known)}
        near = difflib.get_close_matches(column, known, n=1, cutoff=0.6) or [
            ends[name] for name in difflib.get_close_matches(last, ends, n=1, cutoff=0.6)
        ]
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known[:30])}"
        raise UsageError(f"{option} {column}: the rows have no column of that name; {hint}")


def _leads_somewhere(column: str, known: Sequence[str]) -> bool:
    """A path into a list, by number, is not among the names that are suggested."""
    head, _, rest = column.partition(".")
    return bool(rest) and head in known and any(part.isdecimal() for part in rest.split("."))


def _paths(row: Mapping[str, object], depth: int = DEEPEST) -> Iterator[str]:
    for name, value in row.items():
        yield str(name)
        if isinstance(value, Mapping) and depth > 1:
            yield from (f"{name}.{path}" for path in _paths(value, depth - 1))
