"""Rows of JSON lines or Parquet, whatever their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from prmdata.files import Unreadable, jsonl, parquet, paths
from prmdata.files.codec import not_json


def read(path: str) -> Iterator[tuple[dict[str, Any] | Unreadable, str]]:
    """Rows of a file or a directory of parts, each with where it stands."""
    for part in paths.parts_of(path):
        if paths.format_of(part) == "parquet":
            yield from parquet.read_rows(part)
            continue
        for line, where in jsonl.read_lines(part):
            try:
                row = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                row = Unreadable(where, f"{where}: {not_json(line, error)}")
            if not isinstance(row, dict | Unreadable):
                kind = type(row).__name__
                row = Unreadable(where, f"{where}: a {kind}, where a JSON object is needed")
            yield row, where
