from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.records import Labels, Tally
from tests.exports.cases import RIGHT, WRONG, exported

ASKED, SAID = "What is 3 + 4 * 2?", "4 * 2 = 8\n3 + 8 = 12\n\nIt is 12."


@pytest.mark.parametrize(
    ("layout", "columns"),
    [
        (
            "trl",
            {
                "prompt": [{"role": "user", "content": ASKED}],
                "completion": [{"role": "assistant", "content": SAID}],
                "label": False,
            },
        ),
        (
            "ms-swift",
            {
                "messages": [
                    {"role": "user", "content": ASKED},
                    {"role": "assistant", "content": SAID},
                ],
                "label": False,
            },
        ),
        (
            "llamafactory",
            {
                "conversations": [
                    {"from": "human", "value": ASKED},
                    {"from": "gpt", "value": SAID},
                ],
                "kto_tag": False,
            },
        ),
    ],
)
def test_the_columns_of_each_trainer(layout: str, columns: dict, tmp_path: Path) -> None:
    lucky = replace(RIGHT, id="p/3", labels=Labels("bisect", 0))
    cut = replace(WRONG, id="p/4", correct=None, finish="length")
    given = [WRONG, RIGHT, lucky, cut]
    loaded, counts = exported(tmp_path, "kto", given, {"layout": layout})
    assert {name: loaded[0][name] for name in columns} == columns
    verdict = "kto_tag" if layout == "llamafactory" else "label"
    assert loaded.features[verdict].dtype == "bool"
    assert loaded[verdict][:] == [False, True]
    assert (counts["right"], counts["wrong"]) == (1, 1)
    assert counts["left out: nobody knows whether the answer is right"] == 1
    if layout == "llamafactory":
        info = json.loads((tmp_path / "dataset" / "dataset_info.json").read_text())
        assert set(info["prmdata"]["columns"].values()) <= set(loaded.column_names)


@pytest.mark.parametrize("name", ["kto", "pairs", "rl"])
def test_the_pass_rate_is_a_column_where_it_is_asked_for(name: str, tmp_path: Path) -> None:
    tally = Tally(8, right=1, wrong=3, cut=4)
    group = [replace(trace, group=tally) for trace in (WRONG, RIGHT)]
    loaded, _ = exported(tmp_path, name, group, {"pass_rate": "yes"})
    assert set(loaded["pass_rate"][:]) == {0.25}
    plain, _ = exported(tmp_path / "plain", name, group)
    assert "pass_rate" not in plain.column_names
