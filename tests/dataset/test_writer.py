"""The files of a dataset, as their footers say."""

from __future__ import annotations

import random
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from prmdata.dataset.writer import RowWriter
from prmdata.exports import FORMATS
from prmdata.records import Evidence
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export
from tests.exports.cases import RIGHT, WRONG
from tests.exports.test_formats import SETTINGS

ROLLOUTS = Evidence("mc", "rollouts", (1.0, 0.0, 0.0), (2, 0, 0), (2, 2, 2))
COUNTED = WRONG.with_evidence(ROLLOUTS)
STEPWISE = make(FORMATS, "stepwise", {})


def rows(count: int, size: int) -> list[dict[str, object]]:
    words = random.Random(0)
    (row,) = STEPWISE.rows([WRONG])
    return [
        {**row, "trace_id": str(n), "prompt": words.randbytes(size // 2).hex()}
        for n in range(count)
    ]


def written(where: Path, given: list[dict[str, object]]) -> list[Path]:
    writer = RowWriter(where, str(where), STEPWISE.schema())
    for row in given:
        writer.write(row)
    return [where / name for name in writer.close()]


COLUMNED = [n for n in FORMATS if make(FORMATS, n, SETTINGS.get(n, {})).schema() is not None]


@pytest.mark.parametrize("name", COLUMNED)
def test_footers_are_as_the_hubs_viewer_likes_them(name: str, tmp_path: Path) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    run_export(Exporting(name, form), str(tmp_path / "ds"), traces=[COUNTED, RIGHT])
    (shard,) = (tmp_path / "ds" / "data").iterdir()
    footer = pq.read_metadata(shard)
    assert set(footer.metadata) == {b"ARROW:schema"}
    assert pq.read_schema(shard) == form.schema()
    columns = [footer.row_group(0).column(n) for n in range(footer.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    assert all(column.has_offset_index for column in columns)
    assert any(column.has_column_index for column in columns)


def test_row_groups_end_by_rows_or_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def groups(shard: Path) -> list[int]:
        footer = pq.read_metadata(shard)
        return [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]

    assert groups(*written(tmp_path / "short", rows(10_000, 10))) == [8192, 1808]
    monkeypatch.setattr("prmdata.files.parquet.BYTES_PER_GROUP", 1 << 20)
    assert groups(*written(tmp_path / "long", rows(2000, 3000))) == [512, 512, 512, 464]


def test_shards_end_when_they_are_large_and_load_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prmdata.files.parquet.ROWS_PER_GROUP", 512)
    monkeypatch.setattr("prmdata.dataset.writer.SHARD_BYTES", 250_000)
    given = rows(4000, 500)
    shards = written(tmp_path / "ds", given)
    assert [shard.name for shard in shards] == [
        f"train-{n:05d}-of-{len(shards):05d}.parquet" for n in range(len(shards))
    ]
    assert 2 < len(shards) < 6
    assert all(shard.stat().st_size < 450_000 for shard in shards)
    loaded = datasets.load_dataset(str(tmp_path / "ds"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"]["trace_id"][:] == [row["trace_id"] for row in given]


def test_a_row_more_leaves_most_bytes_as_they_were(tmp_path: Path) -> None:
    given = rows(6000, 1000)
    (old,), (new,) = written(tmp_path / "a", given[1:]), written(tmp_path / "b", given)
    before, after = old.read_bytes(), new.read_bytes()
    places = range(0, len(after) - 300, len(after) // 60)
    kept = sum(after[place : place + 300] in before for place in places) / len(places)
    assert kept > 0.6
