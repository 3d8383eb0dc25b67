from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from prmdata.errors import InputError, UsageError
from prmdata.exports import FORMATS
from prmdata.exports.stepwise import Stepwise
from prmdata.files import Unreadable
from prmdata.records import Evidence, Labels, Problem, Step, Trace
from prmdata.registry import make
from prmdata.stages.export import Exporting, run_export

TRACE = Trace(
    id="p/0",
    problem=Problem("p", "What is 3 + 4 * 2?", "11"),
    steps=tuple(Step(text) for text in ("4 * 2 = 8\n", "3 + 8 = 12\n\n", "It is 12.\n")),
    correct=False,
    finish="stop",
)
WRONG = replace(TRACE, labels=Labels("bisect", 1, (1.0, 0.0, 0.0), 0.8))
RIGHT = replace(
    TRACE, id="p/1", correct=True, labels=Labels("bisect", None, (1.0,) * 3, examined=False)
)
SOFT = replace(
    TRACE, id="p/2", labels=Labels("threshold", 2, (0.75, None, 0.0), settings={"evidence": "mc"})
)


def row(trace: Trace, **settings: object) -> dict:
    return Stepwise(**settings).row(trace)  # type: ignore[arg-type]


def test_the_layout_that_trainers_read() -> None:
    found = row(WRONG)
    assert found["prompt"] == "What is 3 + 4 * 2?\n"
    assert found["completions"] == ["4 * 2 = 8", "3 + 8 = 12", "It is 12."]
    assert found["labels"] == [1, 0, -100]
    assert row(WRONG, after_error="wrong")["labels"] == [1, 0, 0]
    assert row(RIGHT)["labels"] == [1, 1, 1]
    assert row(SOFT, threshold=0.5)["labels"] == [1, -100, 0]


def test_soft_values_are_left_out_where_early_stopping_biased_them() -> None:
    fixed = SOFT.with_evidence(Evidence("mc", "rollouts", stopping="fixed"))
    stopped = SOFT.with_evidence(Evidence("mc", "rollouts", stopping="first-hit"))
    assert row(fixed)["values"] == [0.75, None, 0.0]
    assert row(stopped)["values"] is None


@pytest.mark.parametrize(
    ("by", "bent"), [("threshold", True), ("of-a-plug-in", True), ("mc", False)]
)
def test_every_method_that_reads_rates_hands_on_their_bias(by: str, bent: bool) -> None:
    """One that searches by itself names no evidence in its settings."""
    stopped = SOFT.with_evidence(Evidence("mc", "rollouts", stopping="first-hit"))
    assert stopped.labels is not None
    labels = replace(stopped.labels, by=by, settings={"evidence": "mc"} if bent else {})
    assert (row(replace(stopped, labels=labels))["values"] is None) == bent


def test_the_decision_of_a_search_is_not_bent_by_early_stopping() -> None:
    verdicts = ("right", "unknown", "wrong")
    searched = Evidence("mc", "rollouts", stopping="first-hit", verdicts=verdicts)  # type: ignore[arg-type]
    assert row(SOFT.with_evidence(searched))["values"] == [0.75, None, 0.0]


def test_rates_that_early_stopping_bent_meet_no_threshold_but_zero() -> None:
    stopped = SOFT.with_evidence(Evidence("mc", "rollouts", stopping="first-hit"))
    assert row(stopped, threshold=0)["labels"] == [1, -100, 0]
    with pytest.raises(InputError, match="first hit"):
        row(stopped, threshold=0.5)


def test_labels_are_whole_numbers_in_the_file(tmp_path: Path) -> None:
    counts = run_export(
        Exporting("stepwise", Stepwise()), str(tmp_path / "ds"), traces=[WRONG, RIGHT, SOFT]
    )
    assert counts is not None
    loaded = datasets.load_dataset(str(tmp_path / "ds"))["train"]
    assert loaded.features["labels"].feature.dtype == "int64"
    assert [r["labels"] for r in loaded] == [[1, 0, -100], [1, 1, 1], [1, 1, 0]]
    assert (counts["steps right"], counts["steps wrong"], counts["steps masked"]) == (6, 2, 1)
    assert counts["unexamined traces"] == 1


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    given = [WRONG, RIGHT, TRACE, replace(TRACE, finish="length", correct=None), TRACE.failed("x")]
    counts = run_export(
        Exporting("stepwise", Stepwise(unexamined="drop")), str(tmp_path / "d.jsonl"), traces=given
    )
    assert counts == {
        "stage": "export",
        "format": "stepwise",
        "traces read": 5,
        "rows written": 1,
        "steps right": 1,
        "steps wrong": 1,
        "steps masked": 1,
        "unexamined traces": 0,
        "left out: unexamined": 1,
        "left out: no labels": 1,
        "left out: cut, no labels": 1,
        "left out: failed": 1,
    }
    (line,) = (tmp_path / "d.jsonl").read_text().splitlines()
    assert json.loads(line)["trace_id"] == "p/0"


def test_shards_are_named_with_their_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prmdata.dataset.writer.SHARD_BYTES", 1)
    monkeypatch.setattr("prmdata.files.parquet.ROWS_PER_BATCH", 50)
    monkeypatch.setattr("prmdata.files.parquet.ROWS_PER_GROUP", 50)
    many = [replace(WRONG, id=f"p/{i}") for i in range(350)]
    run_export(Exporting("stepwise", Stepwise()), str(tmp_path / "ds"), traces=many)
    names = sorted(path.name for path in (tmp_path / "ds" / "data").iterdir())
    assert names == [f"train-{i:05d}-of-00007.parquet" for i in range(7)]
    assert len(datasets.load_dataset(str(tmp_path / "ds"))["train"]) == 350


def test_an_export_replaces_its_own_and_readers_notice(tmp_path: Path) -> None:
    asked = Exporting("stepwise", Stepwise())
    target = str(tmp_path / "ds")
    run_export(asked, target, traces=[WRONG, RIGHT])
    run_export(asked, target, traces=[WRONG], overwrite=True)
    assert len(datasets.load_dataset(target)["train"]) == 1
    held = sorted(p.name for p in (tmp_path / "ds").iterdir())
    assert held == ["README.md", "data", "manifest.json"]


def test_nothing_to_write_is_an_error_and_bad_lines_are_counted(tmp_path: Path) -> None:
    asked = Exporting("stepwise", Stepwise())
    with pytest.raises(InputError, match="none of 1 traces"):
        run_export(asked, str(tmp_path / "ds"), traces=[TRACE])
    with pytest.raises(Exception, match="x:3"):
        run_export(asked, str(tmp_path / "ds"), traces=[WRONG, Unreadable("x:3", "x:3: broken")])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="threshold"):
        Stepwise(threshold=1.5)
    with pytest.raises(UsageError, match="after_error=zero: write mask or wrong"):
        make(FORMATS, "stepwise", {"after_error": "zero"})
