from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.sft import Sft
from prmdata.records import Labels
from tests.exports.cases import RIGHT, WRONG, exported


def test_whole_right_traces_are_messages(tmp_path: Path) -> None:
    lucky = replace(RIGHT, id="p/3", labels=Labels("bisect", 0))
    unlabelled = replace(RIGHT, id="p/4", labels=None)
    loaded, counts = exported(tmp_path, "sft", [WRONG, RIGHT, lucky, unlabelled])
    assert loaded["trace_id"][:] == ["p/1", "p/4"]
    assert loaded[0]["messages"] == [
        {"role": "user", "content": "What is 3 + 4 * 2?"},
        {"role": "assistant", "content": "4 * 2 = 8\n3 + 8 = 11\nIt is 11."},
    ]
    assert counts["steps"] == 6
    assert counts["left out: a right answer on a wrong step"] == 1
    assert counts["left out: not a right answer"] == 1


def test_prefixes_are_plain_text_and_say_that_they_have_no_end(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "sft", [WRONG, RIGHT], {"kind": "prefix"})
    assert loaded["prompt"][0] == "What is 3 + 4 * 2?\n"
    assert loaded["completion"][:] == ["4 * 2 = 8\n", RIGHT.text]
    assert loaded["steps"][:] == [1, 3]
    assert counts["to train without an end-of-text token"] == 2
    assert Sft("prefix", "text").row(WRONG)["text"] == "What is 3 + 4 * 2?\n4 * 2 = 8\n"
    with pytest.raises(UsageError, match="stop in the middle"):
        Sft("prefix", "messages")
    with pytest.raises(UsageError, match="stop in the middle"):
        Sft("prefix", "llamafactory")


def test_llamafactory_finds_its_turns(tmp_path: Path) -> None:
    loaded, _ = exported(tmp_path, "sft", [RIGHT], {"layout": "llamafactory"})
    info = json.loads((tmp_path / "dataset" / "dataset_info.json").read_text())["prmdata"]
    assert info["columns"] == {"messages": "conversations"}
    assert info["ranking"] is False
    assert loaded[0]["conversations"] == [
        {"from": "human", "value": "What is 3 + 4 * 2?"},
        {"from": "gpt", "value": RIGHT.text.rstrip()},
    ]


@pytest.mark.parametrize(
    "trace", [replace(WRONG, labels=Labels("x", 0)), replace(WRONG, labels=Labels("x", None))]
)
def test_there_is_no_right_prefix_of_what_is_wrong_from_the_start_or_somewhere(trace) -> None:
    with pytest.raises(LeftOut):
        Sft("prefix").row(trace)


def test_repairs_are_whole_traces_and_nothing_else_is_taken(tmp_path: Path) -> None:
    repair = replace(RIGHT, id="p/5", labels=Labels("repair", None, examined=False))
    loaded, counts = exported(tmp_path, "sft", [WRONG, RIGHT, repair], {"kind": "repaired"})
    assert loaded["trace_id"][:] == ["p/5"]
    assert counts["left out: not made by prmdata repair"] == 2


def test_an_intervention_is_the_prefix_and_one_step_with_the_loss_on_either() -> None:
    labels = Labels("intervene", None, examined=False, settings={"step": 1})
    trace = replace(RIGHT, id="p/6", labels=labels)
    row = Sft("intervention").row(trace)
    assert row["prompt"] == "What is 3 + 4 * 2?\n4 * 2 = 8\n"
    assert (row["completion"], row["steps"]) == ("3 + 8 = 11\n", 2)
    both = Sft("intervention", loss="both").row(trace)
    assert both["prompt"] == "What is 3 + 4 * 2?\n"
    assert both["completion"] == "4 * 2 = 8\n3 + 8 = 11\n"
    text = Sft("intervention", "text").row(trace)["text"]
    assert text == "What is 3 + 4 * 2?\n4 * 2 = 8\n3 + 8 = 11\n"
    with pytest.raises(UsageError, match="stop in the middle"):
        Sft("intervention", "messages")
