"""Rows of JSON lines, JSON arrays, CSV, TSV or Parquet, whatever their columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from prmdata.errors import InputError
from prmdata.files import jsonl, parquet, paths, tables
from prmdata.files.codec import Unreadable, not_json

Row = tuple[dict[str, Any] | Unreadable, str]
"""A row, and where it stands."""


def read(path: str) -> Iterator[Row]:
    """Rows of a file or a directory of parts."""
    for part in paths.parts_of(path):
        if paths.is_table(part):
            yield from tables.read_rows(part)
        elif paths.format_of(part) == "parquet":
            yield from parquet.read_rows(part)
        else:
            yield from _json_rows(part)


def _json_rows(path: str) -> Iterator[Row]:
    lines = jsonl.read_lines(path)
    first = next(lines, None)
    if first is None:
        return
    start = first[0].strip()
    if path == "-" and start[:1] not in (b"{", b"["):
        raise InputError(
            f"{first[1]}: not JSON; a pipe is read as JSON lines or a JSON array: give a CSV, TSV "
            "or Parquet file by its name"
        )
    if start == b"{" and path.endswith(".json"):  # one object, written to be read
        yield _decoded(b"".join([first[0], *(line for line, _ in lines)]), path), path
        return
    if start == b"{":
        raise InputError(
            f"{first[1]}: a JSON object spreads over several lines; put each row on a line of "
            "its own: jq -c . FILE > ROWS.jsonl (or jq -c '.FIELD[]' if a field holds the rows)"
        )
    if start.startswith(b"[") and not _is_list_of_values(start):
        yield from _array(b"".join([first[0], *(line for line, _ in lines)]), first[1])
        return
    for line, where in itertools.chain([first], lines):
        yield _decoded(line, where), where


def _is_list_of_values(line: bytes) -> bool:
    """A whole list without an object is a line of JSON lines that is no row."""
    try:
        found = msgspec.json.decode(line, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(found) and not any(bytes(one).startswith(b"{") for one in found)


def _array(data: bytes, where: str) -> Iterator[Row]:
    """The objects of one JSON array. Its text is held in memory, its rows one by one."""
    name = where.rpartition(":")[0]
    try:
        items = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name}: a JSON array that is broken: {not_json(data, error)}") from None
    del data
    for number, item in enumerate(items, 1):
        place = f"{name} item {number}"
        yield _decoded(bytes(item), place), place


def _decoded(line: bytes, where: str) -> dict[str, object] | Unreadable:
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(where, f"{where}: {not_json(line, error)}")
    if isinstance(row, dict):
        return row
    return Unreadable(where, f"{where}: {_kind(row)}, where a JSON object is needed")


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
