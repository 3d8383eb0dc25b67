from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from prmdata.dataset.selection import Selection, parse_split
from prmdata.errors import UsageError
from prmdata.exports import FORMATS
from prmdata.records import Labels, Trace
from prmdata.registry import make
from prmdata.stages.export import Exporting, preview, run_export
from tests.exports.cases import RIGHT, WRONG


def made(problems: int, each: int = 2) -> list[Trace]:
    return [
        replace((WRONG, RIGHT)[n % 2], id=f"{p}/{n}", problem=replace(WRONG.problem, id=str(p)))
        for p in range(problems)
        for n in range(each)
    ]


def export(where: Path, traces: list[Trace], name: str = "stepwise", **chosen: object) -> dict:
    asked = Exporting(name, make(FORMATS, name, {}), selection=Selection(**chosen))  # type: ignore[arg-type]
    counts = run_export(asked, str(where), traces=traces, overwrite=True)
    assert counts is not None
    return counts


def test_unsure_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    unsure = replace(WRONG, id="p/7", labels=Labels("x", 1, confidence=0.5))
    counts = export(tmp_path / "d.jsonl", [WRONG, RIGHT, unsure], min_confidence=0.8)
    assert (counts["rows written"], counts["left out: confidence below 0.8"]) == (1, 1)
    assert counts["left out: no confidence known"] == 1


def test_a_problem_gives_at_most_so_many(tmp_path: Path) -> None:
    given = [*made(3, 1)[:1], *made(3, 4)]
    given = [replace(trace, id=str(n)) for n, trace in enumerate(given)]
    counts = export(tmp_path / "d.jsonl", given, per_problem=3)
    assert (counts["rows written"], counts["left out: more than 3 of a problem"]) == (9, 4)
    rows = map(json.loads, (tmp_path / "d.jsonl").read_text().splitlines())
    assert Counter(row["problem_id"] for row in rows) == {"0": 3, "1": 3, "2": 3}


@pytest.mark.parametrize("name", ["stepwise", "pairs"])
def test_a_problem_is_in_one_split_and_stays_there(name: str, tmp_path: Path) -> None:
    split = parse_split("train=0.8,test=0.2")
    counts = export(tmp_path / "ds", made(400), name, split=split)
    loaded = datasets.load_dataset(str(tmp_path / "ds"), cache_dir=str(tmp_path / "cache"))
    train, test = (set(loaded[part]["problem_id"]) for part in ("train", "test"))
    assert not train & test
    assert len(train) + len(test) == 400
    assert 0.7 < len(train) / 400 < 0.9
    assert counts["rows in test"] == len(loaded["test"])
    export(tmp_path / "fewer", made(100), name, split=split)
    fewer = datasets.load_dataset(str(tmp_path / "fewer"), cache_dir=str(tmp_path / "cache"))
    assert set(fewer["test"]["problem_id"]) == test & set(map(str, range(100)))


def test_shares_are_kept_for_any_number_of_splits() -> None:
    selection = Selection(split=parse_split("a=0.5,b=0.3,c=0.2"))
    found = Counter(selection.split_of(str(n)) for n in range(3000))
    for name, share in selection.split:
        assert abs(found[name] / 3000 - share) < 0.03


def test_shuffling_keeps_every_row_and_is_the_same_under_a_seed(tmp_path: Path) -> None:
    def order(target: str, **chosen: object) -> list[str]:
        export(tmp_path / target, made(300), **chosen)
        return [json.loads(x)["trace_id"] for x in (tmp_path / target).read_text().splitlines()]

    plain = order("a.jsonl")
    first, again, other = (order(f"{s}.jsonl", shuffle=s) for s in (1, 1, 2))
    assert first == again
    assert sorted(first) == sorted(plain)
    assert len({tuple(plain), tuple(first), tuple(other)}) == 3
    ascents = sum(plain.index(a) < plain.index(b) for a, b in itertools.pairwise(first))
    assert 0.4 < ascents / len(first) < 0.6
    export(tmp_path / "ds", made(300), shuffle=1)
    loaded = datasets.load_dataset(str(tmp_path / "ds"), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded["trace_id"][:] == first
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".prmdata", "1.jsonl", "2.jsonl", "a.jsonl", "cache", "ds",
    ]  # fmt: skip
    assert not list((tmp_path / ".prmdata").rglob("tmp*"))


def test_a_preview_counts_all_and_shows_three(tmp_path: Path) -> None:
    counts, rows = preview(Exporting("stepwise", make(FORMATS, "stepwise", {})), traces=made(10))
    assert counts == export(tmp_path / "d.jsonl", made(10))
    assert [row["trace_id"] for row in rows] == ["0/0", "0/1", "1/0"]


@pytest.mark.parametrize(
    "text", ["train", "train=0.9", "a=0.5,a=0.5", "a-b=1", "a=x", "a=1.5,b=-.5"]
)
def test_splits_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_split(text)


def test_settings_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="min-confidence"):
        Selection(min_confidence=2)
    with pytest.raises(UsageError, match="per-problem"):
        Selection(per_problem=0)
    with pytest.raises(UsageError, match="directory"):
        export(tmp_path / "d.jsonl", made(1), split=parse_split("a=0.5,b=0.5"))
    form = make(FORMATS, "kto", {"layout": "llamafactory"})
    asked = Exporting("kto", form, selection=Selection(split=parse_split("a=0.5,b=0.5")))
    with pytest.raises(UsageError, match="val_size"):
        run_export(asked, str(tmp_path / "ds"), traces=made(1))
