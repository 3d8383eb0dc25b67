"""What every format owes, whatever it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from prmdata.errors import InputError, UsageError
from prmdata.exports import FORMATS
from prmdata.exports.contract import LeftOut
from prmdata.records import Evidence, Labels
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export
from tests.exports.cases import MODEL
from tests.exports.cases import RIGHT as BARE_RIGHT
from tests.exports.cases import WRONG as BARE_WRONG

SETTINGS = {"tokens": {"tokenizer": str(MODEL)}, "credit": {"unknown": "zero"}}
"""Of formats that cannot do without."""
WRITTEN_BACK = ("atif", "verifiers")
"""Formats that only take what was imported from them; tests/imports has their tests."""
NAMES = [name for name in FORMATS if name not in WRITTEN_BACK]
COUNTED = Evidence("bisect", "rollouts", (1.0, 0.0, 0.0), (4, 0, 0), (4, 4, 4))
WRONG = BARE_WRONG.with_evidence(COUNTED)
RIGHT = BARE_RIGHT.with_evidence(replace(COUNTED, values=(1.0,) * 3, hits=(4,) * 3))


@pytest.mark.parametrize("name", NAMES)
def test_rows_fit_the_schema_and_every_kind_of_target(name: str, tmp_path: Path) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    schema = form.schema()
    rows = list(form.rows([WRONG, RIGHT] if form.grouped else [RIGHT]))
    if schema is None:  # trees
        run_export(Exporting(name, form), str(tmp_path / "d.jsonl.zst"), traces=[WRONG, RIGHT])
        for target in ("ds", "d.parquet"):
            with pytest.raises(UsageError, match="jsonl"):
                run_export(Exporting(name, form), str(tmp_path / target), traces=[WRONG, RIGHT])
        return
    assert not any(pa.types.is_null(field.type) for field in schema)
    assert pa.RecordBatch.from_pylist(rows, schema=schema).to_pylist() == rows
    for target in ("ds", "d.parquet", "d.jsonl.zst"):
        run_export(Exporting(name, form), str(tmp_path / target), traces=[WRONG, RIGHT])


@pytest.mark.parametrize("name", NAMES)
def test_a_question_about_an_image_is_not_written_without_it(name: str, tmp_path: Path) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    pictured = replace(WRONG.problem, id="q", images=("triangle.png",))
    seen = [replace(t, id=f"q/{t.id}", problem=pictured) for t in (WRONG, RIGHT)]
    target = tmp_path / "d.jsonl"
    counts = run_export(Exporting(name, form), str(target), traces=[WRONG, RIGHT, *seen])
    assert counts is not None
    if name in ("records", "visualprm"):
        assert "triangle.png" in target.read_text()
    else:
        assert counts["left out: images, for which this layout has no place"] == 2


@pytest.mark.parametrize("name", NAMES)
def test_only_formats_that_need_a_problem_whole_ask_for_it(name: str, tmp_path: Path) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    other = WRONG.problem.__class__("q", "Why?", "1")
    split = [WRONG, WRONG.__class__("q/0", other, WRONG.steps, labels=WRONG.labels), RIGHT]
    asked, target = Exporting(name, form), str(tmp_path / "d.jsonl")
    if form.grouped:
        with pytest.raises(InputError, match="stand together"):
            run_export(asked, target, traces=split)
    else:
        run_export(asked, target, traces=split)


@pytest.mark.parametrize(
    "name", ["judge", "math-shepherd", "prm800k", "processbench", "stepwise", "tokens"]
)
def test_a_wrong_answer_with_no_wrong_step_is_nobodys_example(name: str) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    with pytest.raises(LeftOut, match="no wrong step"):
        list(form.rows([replace(WRONG, labels=Labels("x", None))]))
