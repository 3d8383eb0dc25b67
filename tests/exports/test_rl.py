from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from math_verify import parse, verify

from prmdata.errors import InputError
from prmdata.exports.rl import Rl
from tests.exports.cases import RIGHT, TRUSTED, WRONG, exported


def test_a_problem_is_asked_once_for_verl(tmp_path: Path) -> None:
    other = replace(WRONG, id="q/0", problem=replace(WRONG.problem, id="q", answer="7"))
    loaded, counts = exported(tmp_path, "rl", [WRONG, RIGHT, other])
    assert counts["rows written"] == 2
    first = loaded[0]
    assert first["data_source"] == "lighteval/MATH"
    assert [message["role"] for message in first["prompt"]] == ["user"]
    assert first["prompt"][0]["content"].startswith("What is 3 + 4 * 2?\n\n")
    assert first["reward_model"] == {"style": "rule", "ground_truth": "11"}
    assert first["ability"] == "math"
    assert first["extra_info"]["split"] == "train"
    assert loaded.features["extra_info"]["index"].dtype == "int64"
    assert len({row["extra_info"]["index"] for row in loaded}) == 2


@pytest.mark.parametrize("trainer", ["trl", "ms-swift"])
@pytest.mark.parametrize("answer", ["11", "x+1", "C", r"\frac{1}{2}", "-3"])
def test_truths_are_what_the_trainers_grader_can_read(trainer: str, answer: str) -> None:
    trace = replace(WRONG, problem=replace(WRONG.problem, answer=answer))
    (row,) = Rl(trainer=trainer).rows([trace])  # type: ignore[arg-type]
    assert set(row) >= {"prompt" if trainer == "trl" else "messages", "solution"}
    gold = parse(row["solution"])
    assert gold
    assert verify(gold, parse(f"So we find \\boxed{{{answer}}}."))
    assert not verify(gold, parse(r"So we find \boxed{99}."))


@pytest.mark.parametrize(("base", "wrong"), [(0, "1"), (1, "2")])
def test_a_judges_truth_is_the_first_wrong_paragraph(base: int, wrong: str, tmp_path: Path) -> None:
    settings = {"task": "judge", "index_base": base, "trainer": "trl"}
    loaded, counts = exported(tmp_path, "rl", [WRONG, RIGHT, TRUSTED], settings)
    assert loaded["solution"][:] == [f"\\boxed{{{wrong}}}", r"\boxed{-1}"]
    assert f"<paragraph_{wrong}>\n3 + 8 = 12\n" in loaded[0]["prompt"][0]["content"]
    assert loaded["trace_id"][:] == ["p/0", "p/1"]
    assert (counts["with an error"], counts["left out: unexamined"]) == (1, 1)


def test_a_problem_without_an_answer_gives_no_reward() -> None:
    with pytest.raises(Exception, match="gold answer"):
        list(Rl().rows([replace(WRONG, problem=replace(WRONG.problem, answer=None))]))


def test_the_same_problem_twice_is_refused_rather_than_asked_twice(tmp_path: Path) -> None:
    other = replace(WRONG, id="q/0", problem=replace(WRONG.problem, id="q"))
    with pytest.raises(InputError, match="stand together"):
        exported(tmp_path, "rl", [WRONG, other, RIGHT])
