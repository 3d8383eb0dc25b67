from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prmdata.exports import FORMATS
from prmdata.files import write_traces
from prmdata.registry import make
from prmdata.run.manifest import run_folder
from prmdata.stages.export import Exporting, is_written, run_export
from tests.exports.cases import RIGHT, WRONG


def test_looking_whether_a_dataset_is_written_leaves_its_record_alone() -> None:
    write_traces("t.jsonl", [WRONG, RIGHT])
    asked = Exporting("stepwise", make(FORMATS, "stepwise", {}), "t.jsonl")
    assert not is_written(asked, "set")
    assert not Path(".prmdata").exists()
    run_export(asked, "set")
    record = (run_folder("set") / "manifest.json").read_bytes()
    assert is_written(asked, "set")
    write_traces("t.jsonl", [WRONG, RIGHT, replace(RIGHT, id="p/9")])
    assert not is_written(asked, "set")
    assert (run_folder("set") / "manifest.json").read_bytes() == record
