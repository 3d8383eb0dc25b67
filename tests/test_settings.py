"""Settings that make no sense are refused before anything is spent."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from prmdata.errors import UsageError
from prmdata.exports import FORMATS
from prmdata.labellers import LABELLERS
from prmdata.settings import Setting, configured, documented
from prmdata.verifiers import VERIFIERS

TABLES = {**LABELLERS, **VERIFIERS, **FORMATS}
NEEDED = {"oracle": {"command": "cat"}}
NUMBERS = [
    (name, field.name)
    for name, kind in TABLES.items()
    for field in dataclasses.fields(kind)
    if typing.get_type_hints(kind)[field.name] in (int, float, int | None, float | None)
]


SIGNED = [("tool-match", "unmatched")]
"""A reward, which may lie below zero."""


@pytest.mark.parametrize("value", ["-3", "nan", "inf"])
@pytest.mark.parametrize(("name", "setting"), NUMBERS)
def test_no_number_is_negative_or_without_end(name: str, setting: str, value: str) -> None:
    if value == "-3" and (name, setting) in SIGNED:
        assert getattr(configured(TABLES[name], {setting: value}), setting) == -3
        return
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


def test_a_setting_is_told_in_words_with_the_text_under_its_field() -> None:
    settings = {setting.name: setting for setting in documented(TABLES["posterior"])}
    price = settings["bits_per_1000_tokens"]
    assert (price.allowed, price.default) == ("number, at least 0 or none", "None")
    assert price.text.startswith("The price of a rollout:")
    assert settings["call_tokens"].allowed == "whole number, at least 0"
    assert settings["siblings"].allowed == "yes or no"
    kind = next(setting for setting in documented(FORMATS["sft"]) if setting.name == "kind")
    assert kind.allowed == "right or any or prefix or repaired or intervention"


def test_a_class_made_at_run_time_has_settings_without_texts() -> None:
    made = dataclasses.make_dataclass("Made", [("k", int, 3)], frozen=True)
    assert documented(made) == [Setting("k", "whole number", "3", "")]


def test_a_choice_is_taken_as_it_stands_and_told_where_it_is_misspelt() -> None:
    judge = configured(FORMATS["judge"], {"rationale": "none", "index_base": "1"})
    assert (judge.rationale, judge.index_base) == ("none", 1)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="--set prompt=smpled: write question or sampled"):
        configured(FORMATS["sft"], {"prompt": "smpled"})
