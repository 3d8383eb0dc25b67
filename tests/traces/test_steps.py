from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prmdata.errors import UsageError
from prmdata.traces.steps import SPLITTERS, splitter

PIECES = [*"ab \n\t.!?:,$\\*#0159SsTteEpP。<>/\u2028", "<think>", "</think>", "Step 1"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=200).map("".join)


@pytest.mark.parametrize("how", [*SPLITTERS, "regex:;", r"regex:(?<=b)", "lines,min=5,max=3"])
@given(text=TEXTS)
def test_steps_join_to_the_text_and_each_says_something(how: str, text: str) -> None:
    steps = splitter(how)(text)
    assert "".join(steps) == text
    if len(steps) > 1:
        bare = [s.replace("<think>", "").replace("</think>", "").strip() for s in steps]
        assert all(bare)


@pytest.mark.parametrize(
    ("how", "text", "steps"),
    [
        ("lines", "a\nb\n\nc\n", ["a\n", "b\n\n", "c\n"]),
        ("paragraphs", "a\nb\n\nc\n \nd", ["a\nb\n\n", "c\n \n", "d"]),
        ("auto", "a\nb\n\nc", ["a\nb\n\n", "c"]),
        ("auto", "\n\na\nb\n", ["\n\na\n", "b\n"]),
        ("auto", "one line", ["one line"]),
        ("numbered", "Plan.\nStep 1: a\nmore\nStep 2: b\nThe answer is 4.", ["Plan.\n", "Step 1: a\nmore\n", "Step 2: b\n", "The answer is 4."]),
        ("numbered", "**Step 1** x\n## Step 2 y", ["**Step 1** x\n", "## Step 2 y"]),
        ("sentences", "It is 3.5 m. So e.g. Dr. No wins! Yes.", ["It is 3.5 m.", " So e.g. Dr. No wins!", " Yes."]),
        ("sentences", "So it is.\n\n  But no.", ["So it is.\n\n", "  But no."]),
        ("lines", "if x:\n    y\n\n  z", ["if x:\n", "    y\n\n", "  z"]),
        ("lines", "a</think> b", ["a</think>", " b"]),
        ("lines,min=3", "a\nb\nc\nd", ["a\nb\n", "c\nd"]),
        ("lines,min=4", "a\nb\nccc\nd", ["a\nb\n", "ccc\n", "d"]),
        ("lines,max=2", "a\nb\nccc\nd", ["a\nb\nccc\n", "d"]),
        ("lines,max=9", "a\nb\n", ["a\n", "b\n"]),
        ("lines,min=99", "a\nb</think>\nc\nd", ["a\nb</think>\n", "c\nd"]),
        ("sentences", "甲。乙。", ["甲。", "乙。"]),
        ("regex:;", "a;b;;c", ["a;", "b;", ";", "c"]),
        ("lines", "<think>\nhmm\nso 4\n</think>\n\nIt is 4.", ["<think>\nhmm\n", "so 4\n</think>\n\n", "It is 4."]),
        ("paragraphs", "<think>a\n\nb</think>It is 4.", ["<think>a\n\n", "b</think>", "It is 4."]),
        ("lines", "", []),
        ("lines", " \n", [" \n"]),
    ],
)  # fmt: skip
def test_where_steps_end(how: str, text: str, steps: list[str]) -> None:
    assert splitter(how)(text) == steps


def test_a_hundred_kilobytes_without_a_step_are_one_step() -> None:
    text = "x" * 100_000
    for how in SPLITTERS:
        assert splitter(how)(text) == [text]


@given(text=TEXTS, most=st.integers(1, 9), least=st.integers(0, 30))
def test_joined_steps_are_few_and_long_enough(text: str, most: int, least: int) -> None:
    apart = splitter("lines")(text)
    found = splitter(f"lines,min={least},max={most}")(text)
    thoughts = 1 + sum("</think>" in step for step in found[:-1])
    assert len(found) <= max(most, thoughts)
    ends = {sum(map(len, apart[:i])) for i in range(len(apart) + 1)}
    assert {sum(map(len, found[:i])) for i in range(len(found) + 1)} <= ends
    assert all(len(step) >= least or "</think>" in step for step in found[:-1])


def test_a_long_trace_is_cut_into_few_steps_of_like_size() -> None:
    text = "<think>" + "".join(f"Let me see {i}.\n\n" * 3 for i in range(2000)) + "</think>So 4."
    found = splitter("auto,max=64")(text)
    assert "".join(found) == text
    assert len(found) <= 64
    assert found[-1] == "So 4."
    sizes = [len(step) for step in found[:-2]]
    assert max(sizes) < 1.1 * min(sizes)


def test_an_unknown_way_or_pattern_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'lines'"):
        splitter("line")
    with pytest.raises(UsageError, match="not a regular expression"):
        splitter("regex:(")
