"""Columns by dotted paths, and the names that are suggested for misspelt ones."""

from __future__ import annotations

import pytest

from prmdata.errors import UsageError
from prmdata.files.nested import check_columns, value_at

ROW = {"a": {"b": {"c": 3}, "l": [{"x": 1}, {"x": 2}]}, "a.b": "dots", "gold": 7, "none": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gold", 7),
        ("a.b", "dots"),
        ("a.b.c", 3),
        ("a.l.1.x", 2),
        ("a.l.2.x", None),
        ("a.l.x", None),
        ("gold.x", None),
        ("nothing.at.all", None),
        ("", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, value: object) -> None:
    assert value_at(ROW, path) == value


@pytest.mark.parametrize("column", ["gold", "none", "a.b.c", "a.l.0.x", "a.l", "late", ""])
def test_columns_that_some_row_has_are_taken(column: str) -> None:
    check_columns([ROW, {"late": 1}], [column], "--fields")


@pytest.mark.parametrize(
    ("column", "near"),
    [
        ("gould", "did you mean 'gold'"),
        ("a.b.d", "did you mean 'a.b"),
        ("l", "did you mean 'a.l'"),
        ("question", "there are: a, a.b"),
        ("c", "did you mean 'a.b.c'"),
        ("gold.x", "did you mean 'gold'"),
    ],
)
def test_a_column_that_no_row_has_is_refused(column: str, near: str) -> None:
    with pytest.raises(UsageError) as error:
        check_columns([ROW], [column], "--fields")
    assert f"--fields {column}: the rows have no column" in str(error.value)
    assert near in str(error.value)
