from __future__ import annotations

from itertools import pairwise

import pytest

from prmdata.records import Problem, Step, Trace
from prmdata.traces.lines import lines_of


def lines(*steps: str) -> list[tuple[str, int]]:
    trace = Trace("p/0", Problem("p", "?"), tuple(map(Step, steps)))
    return list(zip(*lines_of(trace), strict=True))


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((), []),
        (("A\n", "B"), [("A", 0), ("B", 1)]),
        (("A", "\nB"), [("A", 0), ("B", 1)]),
        (("A", "\n", "\nB"), [("A", 0), ("", 1), ("B", 2)]),
        (("A1 ", "A2\nB"), [("A1 A2", 1), ("B", 1)]),
        (("A\nB", "", "C\n"), [("A", 0), ("BC", 2), ("", 2)]),
    ],
)
def test_a_line_belongs_to_the_step_that_its_last_character_stands_in(
    steps: tuple[str, ...], found: list[tuple[str, int]]
) -> None:
    assert lines(*steps) == found


def test_every_cut_of_a_text_gives_the_same_lines() -> None:
    text = "a = 1\n\nb = 2\n"
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            steps = [text[a:b] for a, b in pairwise((0, first, second, len(text)))]
            assert [line for line, _ in lines(*steps)] == text.split("\n")
