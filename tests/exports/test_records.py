"""`records` is read again by any stage, whatever it was written to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.dataset.selection import Selection
from prmdata.exports import FORMATS
from prmdata.files import read_traces
from prmdata.records import Problem
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export
from tests.exports.cases import RIGHT, WRONG

RICH = replace(
    WRONG,
    problem=Problem("p", "?", "1", context={"tests": ["a"]}, meta={"level": 3, "tags": None}),
    origin=replace(WRONG.origin, parent=("p/0", 2), template_args={"enable_thinking": False}),
)


@pytest.mark.parametrize("shuffle", [None, 0])
@pytest.mark.parametrize("target", ["r.jsonl", "r.jsonl.zst", "r.parquet", "r"])
def test_records_are_read_back_as_they_were(target: str, shuffle: int | None) -> None:
    asked = Exporting("records", make(FORMATS, "records", {}), selection=Selection(shuffle=shuffle))
    run_export(asked, target, traces=[RICH, RIGHT])
    assert sorted(read_traces(target), key=lambda t: t.id) == sorted(
        [RICH, RIGHT], key=lambda t: t.id
    )
