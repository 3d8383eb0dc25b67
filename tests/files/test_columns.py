from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from prmdata.files import Unreadable, read_traces
from prmdata.files.columns import records_in
from prmdata.files.schema import arrow_schema, to_row
from prmdata.records import Trace
from tests.files.test_files import BARE, FULL


def converted(batch: pa.RecordBatch) -> list[Trace]:
    return [msgspec.convert(row, Trace) for row in records_in(batch, Trace)]


def batch_of(*traces: Trace) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([to_row(t) for t in traces], schema=arrow_schema(Trace))


def test_any_part_of_a_batch_gives_its_own_records() -> None:
    given = [FULL, BARE, FULL, FULL, BARE]
    batch = batch_of(*given)
    for start in range(5):
        for length in range(1, 6 - start):
            assert converted(batch.slice(start, length)) == given[start : start + length]
    assert converted(batch.slice(5)) == []


def test_what_is_null_below_a_null_is_not_read() -> None:
    masked = pc.if_else(pa.array([True, False]), batch_of(FULL, FULL)["labels"], None)
    batch = batch_of(FULL, FULL).set_column(11, "labels", masked)
    assert batch.schema.names[11] == "labels"
    first, second = converted(batch)
    assert first == FULL
    assert second.labels is None


def test_wide_types_and_missing_columns_are_read() -> None:
    wide = pa.Table.from_batches([batch_of(FULL, BARE)])
    for name in ("id", "answer"):
        place = wide.schema.get_field_index(name)
        wide = wide.set_column(place, name, wide[name].cast(pa.large_string()))
    steps = wide["steps"].cast(pa.large_list(wide.schema.field("steps").type.value_type))
    wide = wide.set_column(wide.schema.get_field_index("steps"), "steps", steps)
    wide = wide.drop_columns(["group", "evidence"]).append_column("more", pa.array([1, 2]))
    first, second = converted(wide.to_batches()[0])
    assert (first.steps, first.group, first.evidence) == (FULL.steps, None, ())
    assert second == BARE


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("problem", pa.array(["x"]), r"t\.parquet:1: not a prmdata record: .*problem"),
        ("steps", pa.array([3]), r"t\.parquet:1: .*steps"),
        ("origin", pa.array([{"messages": [1]}]), r"t\.parquet:1: .*'int'"),
        ("origin", pa.array([{"parent": "{"}]), r"t\.parquet:1: .*truncated"),
        ("id", pa.array([None], pa.string()), r"t\.parquet:1: .*id"),
    ],
)
def test_columns_of_another_kind_are_refused(
    tmp_path: Path, column: str, values: pa.Array, said: str
) -> None:
    batch = batch_of(BARE)
    place = batch.schema.get_field_index(column)
    table = pa.Table.from_batches([batch]).set_column(place, column, values)
    pq.write_table(table, tmp_path / "t.parquet")
    (bad,) = read_traces(str(tmp_path / "t.parquet"))
    assert isinstance(bad, Unreadable)
    assert re.search(said, bad.reason)
