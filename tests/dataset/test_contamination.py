from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prmdata.dataset.contamination import Contamination, questions
from prmdata.errors import InputError
from prmdata.files import write_traces
from tests.exports.cases import WRONG

LONG = "Ada has nine red apples and gives four of them to her old friend Ben before lunch"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (LONG, True),
        (f"Once upon a time, {LONG.upper()}, and so on.", True),
        (" ".join(LONG.split()[2:15]) + " today", True),
        (" ".join(LONG.split()[2:14]) + " today", False),
        (LONG.replace("old", "best"), False),
        ("What is 2 + 2?", True),
        ("So tell me, what is 2 + 2?", False),
        ("What is 2 + 3?", False),
    ],
)
def test_thirteen_words_in_a_row_or_a_whole_short_question(question: str, found: bool) -> None:
    known = Contamination()
    known.add(LONG, "b:1")
    known.add("what is 2+2", "b:2")
    assert (known.overlap(question) is not None) == found


def test_what_overlaps_is_told() -> None:
    known = Contamination(4)
    known.add("one two three four five", "b:7")
    found = known.overlap("And two, three, four, five!")
    assert found is not None
    assert (found.where, found.words) == ("b:7", "two three four five")


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Why?", "answer": "#### 1"},
        {"problem": "Why?"},
        {"task_id": 1, "prompt": "Why?"},
        {"question": {"problem": "Why?"}},
        {"text": "Why?", "question": None},
    ],
)
def test_benchmarks_of_any_layout_are_read(tmp_path: Path, row: dict[str, object]) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n")
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "b.parquet")
    for name in ("b.jsonl", "b.parquet"):
        assert [said for said, _ in questions(str(tmp_path / name))] == ["Why?"]


def test_our_own_traces_are_a_benchmark_too(tmp_path: Path) -> None:
    write_traces(str(tmp_path / "t.jsonl"), [WRONG, WRONG])
    assert [said for said, _ in questions(str(tmp_path / "t.jsonl"))] == ["What is 3 + 4 * 2?"] * 2


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(InputError, match=r"b\.jsonl:1: no question found \(columns: a\)"):
        Contamination.of([str(tmp_path / "b.jsonl")])
