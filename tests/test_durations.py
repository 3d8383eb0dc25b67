from __future__ import annotations

import pytest

from prmdata.durations import parse_seconds, spell
from prmdata.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("2 d", 172_800), (" 0s ", 0)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_seconds(text, "--give-up") == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "10 minutes", "1e3", "nan", "1:30"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"--give-up .*write a duration like 90s, 10m or 2h"):
        parse_seconds(text, "--give-up")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "0 s"),
        (59.6, "1 min"),
        (65, "1 min 05 s"),
        (600, "10 min"),
        (3599.7, "1 h"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_spelt_in_whole_units(seconds: float, told: str) -> None:
    assert spell(seconds) == told
