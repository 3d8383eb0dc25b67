"""What to do with a file that holds something else than traces."""

from __future__ import annotations

from collections.abc import Collection

EXPORTED = {"trace_id", "problem_id", "chosen_id"}
"""Columns that `export` writes, and no record has."""


def advice(columns: Collection[str]) -> str:
    """What such rows are, by their columns, and which command reads them."""
    if EXPORTED & set(columns):
        return (
            "this is an exported dataset, which trainers read; name the traces that it was made "
            "from, or export them with --to records"
        )
    return (
        "this holds no traces; `prmdata import FILE` reads traces from other data, `prmdata "
        "generate FILE --fields question=COLUMN,answer=COLUMN` problems"
    )
