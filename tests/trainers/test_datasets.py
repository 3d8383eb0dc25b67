"""Every format's Parquet folder in the `datasets` library of this environment: 3.6, 4 or 5."""

from __future__ import annotations

from pathlib import Path

import pytest

from prmdata.exports import FORMATS
from prmdata.records import Trace
from prmdata.registry import make
from tests.trainers.exports import MODEL, loaded, needs

pytestmark = needs("datasets")
SETTINGS = {"tokens": {"tokenizer": MODEL}}


COLUMNED = [n for n in FORMATS if make(FORMATS, n, SETTINGS.get(n, {})).schema() is not None]


@pytest.mark.parametrize("to", COLUMNED)
def test_a_folder_loads_with_its_types(to: str, labelled: list[Trace], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data = loaded(tmp_path, labelled, to, SETTINGS.get(to))
    written = pq.read_table(tmp_path / "dataset" / "data")
    assert data.num_rows == written.num_rows > 0
    assert data.column_names == written.column_names
    assert [data[0], data[-1]] == [written.slice(i, 1).to_pylist()[0] for i in (0, len(data) - 1)]


@pytest.mark.parametrize("to", ["stepwise", "tokens", "value"])
def test_labels_are_whole_numbers(to: str, labelled: list[Trace], tmp_path: Path) -> None:
    data = loaded(tmp_path, labelled, to, SETTINGS.get(to))
    assert data.features["labels"].feature.dtype == "int64"
    assert {label for row in data["labels"] for label in row} <= {-100, 0, 1}
