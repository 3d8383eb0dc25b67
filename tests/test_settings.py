"""Settings that make no sense are refused before anything is spent."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from prmdata.errors import UsageError
from prmdata.exports import FORMATS
from prmdata.labellers import LABELLERS
from prmdata.settings import configured, describe
from prmdata.verifiers import VERIFIERS

TABLES = {**LABELLERS, **VERIFIERS, **FORMATS}
NEEDED = {"oracle": {"command": "cat"}}
NUMBERS = [
    (name, field.name)
    for name, kind in TABLES.items()
    for field in dataclasses.fields(kind)
    if typing.get_type_hints(kind)[field.name] in (int, float, int | None, float | None)
]


@pytest.mark.parametrize("value", ["-3", "nan", "inf"])
@pytest.mark.parametrize(("name", "setting"), NUMBERS)
def test_no_number_is_negative_or_without_end(name: str, setting: str, value: str) -> None:
    with pytest.raises(UsageError, match=setting):
        configured(TABLES[name], {**NEEDED.get(name, {}), setting: value})


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("bisect", "rollouts_per_probe"),
        ("forward", "rollouts_per_step"),
        ("mc", "rollouts_per_step"),
        ("python", "deadline_s"),
        ("solver", "workers"),
        ("tokens", "max_tokens"),
    ],
)
def test_nothing_is_done_with_nothing(name: str, setting: str) -> None:
    with pytest.raises(UsageError, match=setting):
        configured(TABLES[name], {setting: "0"})


def test_bounds_do_not_show_in_the_list_of_settings() -> None:
    kinds = {setting: kind for setting, kind, _ in describe(TABLES["posterior"])}
    assert kinds["bits_per_1000_tokens"] == "float | None"
    assert kinds["call_tokens"] == "int"


def test_a_choice_is_taken_as_it_stands_and_told_where_it_is_misspelt() -> None:
    judge = configured(FORMATS["judge"], {"rationale": "none", "index_base": "1"})
    assert (judge.rationale, judge.index_base) == ("none", 1)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="--set prompt=smpled: write question or sampled"):
        configured(FORMATS["sft"], {"prompt": "smpled"})
