from __future__ import annotations

import time

import pytest

from prmdata.run.progress import Progress, rate
from prmdata.sampler.storage.stored import Spending


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (1234.5, "1,234.5 problems/s"),
        (1, "1.0 problems/s"),
        (0.0517, "3.1 problems/min"),
        (1 / 60, "1.0 problems/min"),
        (0.001, "3.6 problems/h"),
    ],
)
def test_a_slow_rate_is_told_in_units_one_can_read(per_second: float, text: str) -> None:
    assert rate(per_second, "problems") == text


def test_before_anything_is_done_it_says_what_it_waits_for() -> None:
    progress = Progress("label", Spending(in_flight=512), total=40)
    assert progress.line().startswith("label: 0/40 traces · waiting for 512 completions · ")
    assert "waiting for the first" in Progress("verify", Spending()).line()


def test_what_an_earlier_run_did_is_no_part_of_the_rate() -> None:
    progress = Progress("label", Spending(), total=40)
    progress._started = time.monotonic() - 10
    progress.add(20, resumed=True)
    progress.add(5)
    assert "label: 25/40 traces · 30.0 traces/min · " in progress.line()
    assert "30 s left" in progress.line()


def test_plain_lines_come_after_a_second_and_then_seldom(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress("label", Spending(), total=40) as progress:
        progress.add(1)
        assert capsys.readouterr().err == ""
        progress._next = 0.0
        progress.add(1)
        progress.add(1)
        assert capsys.readouterr().err.count("\n") == 1
        progress.announce("stopping")
    assert capsys.readouterr().err == "label: stopping\n"
