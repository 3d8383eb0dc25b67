from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from prmdata.dataset.balance import Balanced, TwoSided
from prmdata.dataset.selection import Selection, parse_split
from prmdata.errors import InputError, UsageError
from prmdata.exports import FORMATS
from prmdata.exports.contract import Row
from prmdata.registry import make
from prmdata.stages.export import Exporting, preview, run_export
from tests.dataset.test_selection import export, made
from tests.exports.cases import RIGHT, WRONG
from tests.exports.test_formats import SETTINGS


class Rows:
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, row: Row) -> None:
        self.rows.append(row)


def balanced(right: int, wrong: int, seed: int = 0) -> list[int]:
    sink = Rows()
    held = Balanced(sink, lambda row: row["n"] < right, seed, None)
    for n in range(right + wrong):
        held.write({"n": n})
    assert held.pour() == abs(right - wrong)
    return [row["n"] for row in sink.rows]


@pytest.mark.parametrize(("right", "wrong"), [(9, 4), (3, 3), (0, 5), (1, 200)])
def test_both_sides_are_as_many_and_in_order(right: int, wrong: int) -> None:
    found = balanced(right, wrong)
    assert found == sorted(found)
    assert Counter(n < right for n in found)[True] * 2 == len(found) == 2 * min(right, wrong)
    assert found == balanced(right, wrong)


def test_every_row_is_as_likely_to_be_taken() -> None:
    taken = Counter(n for seed in range(2000) for n in balanced(10, 3, seed) if n < 10)
    assert all(abs(taken[n] / 2000 - 0.3) < 0.05 for n in range(10))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_tells_right_from_wrong_or_is_refused(name: str, tmp_path: Path) -> None:
    form = make(FORMATS, name, SETTINGS.get(name, {}))
    traces = made(6, 3)  # two wrong ones and a right one of each
    asked = Exporting(name, form, selection=Selection(balance=1))
    if not isinstance(form, TwoSided):
        with pytest.raises(UsageError, match="--balance: this format"):
            run_export(asked, str(tmp_path / "d.jsonl"), traces=traces)
        return
    counts = run_export(asked, str(tmp_path / "d.jsonl"), traces=traces)
    assert counts is not None
    rows = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert Counter(map(form.positive, rows)) == {True: 6, False: 6}
    assert counts["rows written"] == 12
    assert counts["left out: more than of the other side"] == 6
    assert preview(asked, traces=traces)[0] == counts


def test_each_split_is_balanced(tmp_path: Path) -> None:
    split = parse_split("train=0.5,test=0.5")
    counts = export(tmp_path / "ds", made(60, 3), split=split, balance=1, shuffle=1)
    assert counts["rows in train"] + counts["rows in test"] == counts["rows written"] == 120
    assert counts["steps wrong"] == 60
    assert not [p for p in (tmp_path / ".prmdata").rglob("*") if p.name.startswith("tmp")]


def test_nothing_to_balance_with_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"more than of the other side.*select less"):
        export(tmp_path / "d.jsonl", [WRONG, WRONG], balance=1)
    assert RIGHT.correct
