"""The card and the manifest of a written dataset."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

import prmdata
from prmdata.dataset.provenance import Provenance
from prmdata.records import Cost, Labels, Trace


@pytest.fixture
def labelled(traces: list[Trace]) -> list[Trace]:
    def labels(steps: int) -> Labels:
        values = (1.0,) + (0.0,) * (steps - 1)
        return Labels("posterior", 1, values, 0.9, settings={"sure_at": 0.9}, cost=Cost(10, 2, 1))

    return [replace(t, labels=labels(len(t.steps))) for t in traces[:20] if len(t.steps) > 2]


def test_a_folder_says_where_it_comes_from_and_what_it_holds(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set", to="stepwise")
    manifest = json.loads(Path("set/manifest.json").read_text())
    assert set(manifest["files"]) == {"README.md", "data/train-00000-of-00001.parquet"}
    for name, known in manifest["files"].items():
        data = (Path("set") / name).read_bytes()
        assert known == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert manifest["counts"]["rows written"] == len(labelled)
    assert manifest["provenance"]["tokens_labelling"] == 10 * len(labelled)
    text = Path("set/README.md").read_text()
    for said in ("policy-1", "posterior", "sure_at", "| `labels` | list<int64> |", "temperature 1"):
        assert said in text, said
    assert "configs" not in text.split("---")[1]


def test_a_folder_of_records_is_read_again_past_its_manifest(labelled: list[Trace]) -> None:
    prmdata.export(labelled, output="set", to="records")
    assert [t.id for t in prmdata.read("set")] == [t.id for t in labelled]


def test_what_is_not_known_is_said_so(traces: list[Trace]) -> None:
    bare = replace(
        traces[0],
        labels=None,
        problem=replace(traces[0].problem, meta={"license": "mit"}),
        origin=type(traces[0].origin)(),
    )
    told = Provenance()
    told.note(bare)
    assert told.facts()["sources"] == {"not said": 1}
    assert told.facts()["licences"] == {"mit": 1}
    assert told.labelled_by == []
    assert told.lines()[-1].startswith("- Tokens generated: 0 for the traces")
