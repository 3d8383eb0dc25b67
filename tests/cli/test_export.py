from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.records import Labels
from tests.exports.cases import RIGHT, WRONG
from tests.warm import command


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "l.jsonl"
    problems = [replace(WRONG.problem, id=str(n)) for n in range(20)]
    write_traces(str(path), [replace(t, problem=p) for p in problems for t in (WRONG, RIGHT)])
    return path


def export(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return command("export", *map(str, words))


def test_a_dry_run_shows_rows_and_counts_and_writes_nothing(labelled: Path) -> None:
    target = labelled.parent / "ds"
    done = export(labelled, "--to", "pairs", "-o", target, "--dry-run")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["problem_id"] for row in rows] == ["0", "1", "2"]
    assert "20 rows written" in done.stderr
    assert "nothing was written" in done.stderr
    assert not target.exists()


def test_selection_reaches_the_dataset_and_its_record(labelled: Path) -> None:
    target = labelled.parent / "ds"
    chosen = ("--split", "train=0.5,test=0.5", "--per-problem", "1", "--shuffle", "3")
    done = export(labelled, "-o", target, *chosen, "--min-confidence", "0.5")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (target / "data").iterdir())
    assert names == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]
    assert "20 left out: no confidence known" in done.stderr
    assert "up to date" in export(labelled, "-o", target, *chosen, "--min-confidence", "0.5").stderr
    changed = export(labelled, "-o", target, *chosen)
    assert changed.returncode == 2
    assert "min_confidence" in changed.stderr


def test_a_balanced_dataset_of_sure_labels_holds_right_answers_taken_at_their_word(
    tmp_path: Path,
) -> None:
    path, word = tmp_path / "l.jsonl", Labels("posterior", None, (1.0,) * 3, examined=False)
    problems = [replace(WRONG.problem, id=str(n)) for n in range(20)]
    pair = (WRONG, replace(RIGHT, labels=word))
    write_traces(str(path), [replace(t, problem=p) for p in problems for t in pair])
    chosen = ("--min-confidence", "0.5", "--balance", "1")
    done = export(path, "-o", tmp_path / "ds", *chosen)
    assert done.returncode == 0, done.stderr
    assert "40 rows written" in done.stderr
    assert "20 right answers taken at their word, which have no confidence" in done.stderr
    sure = export(path, "-o", "-", "--min-confidence", "0.5", "--set", "unexamined=drop")
    assert {json.loads(line)["examined"] for line in sure.stdout.splitlines()} == {True}
    assert "20 left out: unexamined" in sure.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--split", "train=1.2"), "--split"),
        (("--to", "tokens"), "--set tokenizer"),
        (("--to", "pairs", "--balance", "1"), "--balance"),
        (("--distinct", "all"), "text or labelled"),
        (("--to", "pairs", "--set", "layout=trk"), "trk"),
        (("--to", "kto", "--set", "layout=llamafactory"), "dataset_info.json"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    labelled: Path, words: tuple[str, ...], said: str
) -> None:
    done = export(labelled, "-o", labelled.parent / "d.jsonl", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_repeats_or_stands_in_a_benchmark_is_named(labelled: Path) -> None:
    bench = labelled.parent / "bench.jsonl"
    bench.write_text('{"problem": "WHAT is 3+4*2"}\n')
    chosen = ("--contamination", bench, "--balance", "1", "--distinct", "text")
    done = export(labelled, "-o", labelled.parent / "none", *chosen)
    assert done.returncode == 1
    assert "40 left out: in a benchmark" in done.stderr
    bench.write_text('{"problem": "Why?"}\n')
    done = export(labelled, "-o", "-", *chosen, "--near-duplicates", "0.9", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "export: problem 1 is nearly 0" in done.stderr
    assert "and 14 more problems" in done.stderr
    assert "2 rows written" in done.stderr
    assert "38 left out: nearly an earlier problem" in done.stderr
    assert "19 problems left out" in done.stderr
