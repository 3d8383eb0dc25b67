from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.dataset.selection import Selection
from prmdata.dataset.sieve import Sieve
from prmdata.errors import UsageError
from prmdata.records import Problem, Step, Trace
from tests.dataset.test_selection import export
from tests.exports.cases import RIGHT, WRONG

ASKED = "Ada has {} red apples and gives four of them to her old friend Ben before lunch today"


def of(problem: str, question: str) -> Trace:
    return replace(WRONG, id=f"{problem}/0", problem=Problem(problem, question, "1"))


def left(selection: Selection, *traces: Trace) -> list[str | None]:
    sieve = Sieve(selection)
    return [sieve.against(trace) for trace in traces]


def test_problems_that_are_nearly_others_go_with_all_their_traces() -> None:
    first, near, other = of("a", ASKED.format(3)), of("b", ASKED.format(5)), of("c", "Why?")
    given = [first, first, near, near, other, first, near]
    gone = "nearly an earlier problem"
    chosen = Selection(near_duplicates=0.6)
    assert left(chosen, *given) == [None, None, gone, gone, None, None, gone]
    assert left(Selection(near_duplicates=1.0), *given) == [None] * 7


def test_problems_of_a_benchmark_are_left_out_and_named(tmp_path: Path) -> None:
    bench = tmp_path / "bench.jsonl"
    bench.write_text(json.dumps({"question": ASKED.format(3)}) + "\n")
    inside, outside = of("a", "Well: " + ASKED.format(5)), of("b", "Why?")
    counts = export(
        tmp_path / "ds", [inside, replace(inside, id="a/1"), outside], contamination=(str(bench),)
    )
    assert counts["left out: in a benchmark"] == 2
    assert counts["problems left out"] == 1
    (found,) = counts["removed"]
    assert (found["problem"], found["in"]) == ("a", "bench.jsonl:1")
    assert found["words"].startswith("red apples and gives")
    manifest = json.loads((tmp_path / "ds" / "manifest.json").read_text())
    assert manifest["removed"] == [found]
    assert manifest["settings"]["contamination"] == ["bench.jsonl"]
    assert str(tmp_path) not in json.dumps(manifest)
    card = (tmp_path / "ds" / "README.md").read_text()
    assert "13 words in a row from one of `bench.jsonl`" in card
    assert str(tmp_path) not in card
    more = Selection(contamination=(str(bench),), contamination_words=16)
    assert left(more, inside) == [None]


def test_traces_that_say_the_same_are_taken_once() -> None:
    same = replace(WRONG, id="p/8")
    ending = replace(WRONG, id="p/9", steps=(*WRONG.steps[:2], Step("It is twelve.")))
    elsewhere = replace(WRONG, problem=Problem("q", "?"))
    given = (WRONG, same, ending, RIGHT, replace(RIGHT, id="p/7"), elsewhere)
    assert left(Selection(distinct="text"), *given) == [
        None, "said before", None, None, "said before", None,
    ]  # fmt: skip
    again = "said before, up to the first wrong step"
    assert left(Selection(distinct="labelled"), *given) == [
        None, again, again, None, "said before", None,
    ]  # fmt: skip
    assert left(Selection(distinct="text", per_problem=2), *given)[3:] == [
        "more than 2 of a problem", "said before", None,
    ]  # fmt: skip


def test_what_is_too_long_is_left_out() -> None:
    assert left(Selection(max_steps=2), WRONG) == ["longer than 2 steps"]
    length = len(WRONG.problem.question) + len(WRONG.text)
    assert left(Selection(max_characters=length - 1, max_steps=3), WRONG) == [
        f"longer than {length - 1} characters"
    ]
    assert left(Selection(max_characters=length), WRONG) == [None]


@pytest.mark.parametrize(
    "chosen",
    [
        {"max_steps": 0},
        {"max_characters": 0},
        {"near_duplicates": 0},
        {"near_duplicates": 1.5},
        {"distinct": "words"},
        {"contamination_words": 0},
    ],
)
def test_selections_that_make_no_sense_are_refused(chosen: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(chosen)).replace("_", "-")):
        Selection(**chosen)  # type: ignore[arg-type]
