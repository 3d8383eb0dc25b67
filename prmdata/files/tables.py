"""Rows of CSV and TSV files: the first line names the columns, every value is text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from prmdata.errors import InputError
from prmdata.files import paths
from prmdata.files.codec import Unreadable

LONGEST_CELL = 1 << 30
SEPARATORS = (",", ";", "\t")


def read_rows(path: str) -> Iterator[tuple[dict[str, str] | Unreadable, str]]:
    """Rows, each with where it begins. A quoted cell may hold line breaks; a mark of the byte order
    is passed over."""
    csv.field_size_limit(LONGEST_CELL)
    line = 1
    with paths.open_bytes(path) as raw, paths.unpacking(lambda: f"{path}:{line + 1}"):
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        try:
            header = text.readline()
            separator = _separator(path, header)
            columns = _columns(next(csv.reader([header], delimiter=separator), []), path)
            rows = csv.reader(text, delimiter=separator, strict=True)
            for cells in rows:
                where = f"{path}:{line + 1}"
                line = rows.line_num + 1
                if cells:
                    yield _row(columns, cells, where), where
        except UnicodeDecodeError:
            raise InputError(
                f"{path}: not UTF-8; convert it: iconv -f WINDOWS-1252 -t UTF-8 (or -f UTF-16)"
            ) from None
        except csv.Error as error:
            raise InputError(f"{path}:{line + 1}: cannot be read as a table ({error})") from None
        finally:
            text.detach()


def _separator(path: str, header: str) -> str:
    """Of a CSV file, what its first line has most of: some programs write semicolons."""
    if ".tsv" in path:
        return "\t"
    return max(SEPARATORS, key=header.count)


def _columns(names: Sequence[str], path: str) -> list[str]:
    columns = [name.strip() for name in names]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are named '{twice}'; rename one in the first line")
    return columns


def _row(columns: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str] | Unreadable:
    if len(cells) != len(columns):
        return Unreadable(where, f"{where}: {len(cells)} cells under {len(columns)} columns")
    return dict(zip(columns, cells, strict=True))
