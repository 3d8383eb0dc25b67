from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import InputError, UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.pairs import Pairs
from prmdata.records import Evidence, Labels, Origin, Step, Trace
from tests.exports.cases import RIGHT, TRUSTED, WRONG, exported, trace

ASKED = "What is 3 + 4 * 2?"
GOOD, BAD = "4 * 2 = 8\n3 + 8 = 11", "4 * 2 = 8\n3 + 8 = 12"


def pairs(*group: Trace, **settings: object) -> list[dict]:
    return list(Pairs(**settings).rows(group))  # type: ignore[arg-type]


def test_the_shared_prefix_begins_both_sides(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "pairs", [WRONG, RIGHT])
    assert loaded.features["step"].dtype == "int64"
    assert loaded[0] == {
        "prompt": [{"role": "user", "content": ASKED}],
        "chosen": [{"role": "assistant", "content": GOOD}],
        "rejected": [{"role": "assistant", "content": BAD}],
        "step": 1,
        "problem_id": "p",
        "chosen_id": "p/1",
        "rejected_id": "p/0",
    }
    assert counts["rows written"] == 1


@pytest.mark.parametrize(
    ("sibling", "why"),
    [
        (replace(RIGHT, steps=(Step("4 * 2 = 8\n\n"), *RIGHT.steps[1:])), "other white space"),
        (replace(RIGHT, steps=RIGHT.steps[1:]), "another beginning"),
        (replace(RIGHT, steps=RIGHT.steps[:1]), "nothing follows"),
        (replace(RIGHT, labels=Labels("bisect", 1)), "its step is wrong too"),
        (replace(RIGHT, correct=False), "a wrong answer vouches for no step"),
        (replace(RIGHT, steps=WRONG.steps), "the same step, called right"),
    ],
)
def test_there_is_no_pair_without_exactly_the_same_prefix(sibling: Trace, why: str) -> None:
    with pytest.raises(LeftOut, match="no pair"):
        pairs(WRONG, sibling)


def test_a_wrong_trace_can_vouch_for_the_steps_before_its_error() -> None:
    later = trace(
        "5", "4 * 2 = 8\n", "8 + 3 = 11\n", "It is 10.", correct=False, labels=Labels("x", 2)
    )
    (row,) = pairs(WRONG, later)
    assert row["chosen"][0]["content"] == "4 * 2 = 8\n8 + 3 = 11"


def test_partners_take_turns_and_no_pair_comes_twice() -> None:
    also_right = replace(RIGHT, id="p/3", steps=(RIGHT.steps[0], Step("8 + 3 = 11\n")))
    same_error = replace(WRONG, id="p/4")
    other_error = replace(WRONG, id="p/5", steps=(WRONG.steps[0], Step("3 + 8 = 13\n")))
    group = (WRONG, same_error, other_error, RIGHT, also_right, TRUSTED)
    assert [(r["rejected_id"], r["chosen_id"]) for r in pairs(*group)] == [
        ("p/0", "p/1"),
        ("p/4", "p/3"),
        ("p/5", "p/1"),
    ]
    assert len(pairs(*group, most=2)) == 4
    with pytest.raises(LeftOut):
        pairs(WRONG, TRUSTED, unexamined="drop")


def test_outcomes_pair_whole_traces_and_need_no_labels() -> None:
    right, wrong = replace(RIGHT, labels=None), replace(WRONG, labels=None)
    (row,) = pairs(wrong, right, kind="outcome")
    assert row["chosen"][0]["content"] == RIGHT.text.rstrip()
    assert row["rejected"][0]["content"] == WRONG.text.rstrip()
    assert row["step"] == -1
    cut = replace(right, correct=None, finish="length")
    lucky = replace(right, labels=Labels("bisect", 0))
    for unusable in (cut, lucky, right.failed("x")):
        with pytest.raises(LeftOut):
            pairs(wrong, unusable, kind="outcome")


def test_the_columns_of_each_trainer() -> None:
    (swift,) = pairs(WRONG, RIGHT, layout="ms-swift")
    assert [m["content"] for m in swift["messages"]] == [ASKED, GOOD]
    assert swift["rejected_response"] == BAD
    (nemo,) = pairs(WRONG, RIGHT, layout="nemo-rl")
    assert nemo["context"] == [{"role": "user", "content": ASKED}]
    assert [(c["rank"], c["completion"][0]["content"]) for c in nemo["completions"]] == [
        (0, GOOD),
        (1, BAD),
    ]
    (dpo,) = pairs(WRONG, RIGHT, layout="step-dpo")
    assert dpo["initial_reason_steps"] == "4 * 2 = 8\n"
    assert (dpo["chosen"], dpo["rejected"]) == ("3 + 8 = 11", "3 + 8 = 12")
    assert (dpo["full_chosen"], dpo["full_rejected"]) == (RIGHT.text, WRONG.text)
    assert (dpo["prompt"], dpo["answer"]) == (ASKED, "11")


@pytest.mark.parametrize("layout", ["trl", "llamafactory", "ms-swift", "nemo-rl", "step-dpo"])
@pytest.mark.parametrize("kind", ["step", "outcome"])
def test_every_layout_loads_as_it_was_made(layout: str, kind: str, tmp_path: Path) -> None:
    settings = {"layout": layout, "kind": kind}
    loaded, _ = exported(tmp_path, "pairs", [WRONG, RIGHT], settings)
    assert [loaded[0]] == pairs(WRONG, RIGHT, **settings)


def test_llama_factory_finds_its_columns_in_the_file_beside(tmp_path: Path) -> None:
    loaded, _ = exported(tmp_path, "pairs", [WRONG, RIGHT], {"layout": "llamafactory"})
    info = json.loads((tmp_path / "dataset" / "dataset_info.json").read_text())["prmdata"]
    assert info["formatting"] == "sharegpt"
    assert info["ranking"] is True
    assert list((tmp_path / "dataset" / info["file_name"]).glob("*.parquet"))
    row = {role: loaded[0][column] for role, column in info["columns"].items()}
    assert row["messages"] == [{"from": "human", "value": ASKED}]
    assert row["chosen"] == {"from": "gpt", "value": GOOD}
    with pytest.raises(UsageError, match="dataset_info"):
        exported(tmp_path, "pairs", [WRONG, RIGHT], {"layout": "llamafactory"}, target="d.jsonl")


def test_margins_are_gaps_of_unbiased_values() -> None:
    (row,) = pairs(WRONG, RIGHT, margin=True)
    assert row["margin"] == 1.0
    stopped = replace(
        WRONG.with_evidence(Evidence("mc", "rollouts", stopping="first-hit")),
        labels=Labels("threshold", 1, (0.75, 0.0, 0.0), settings={"evidence": "mc"}),
    )
    for without in (stopped, replace(WRONG, labels=Labels("bisect", 1))):
        with pytest.raises(InputError, match="margin"):
            pairs(without, RIGHT, margin=True)
    with pytest.raises(UsageError, match="kind=step"):
        Pairs(kind="outcome", margin=True)
    with pytest.raises(UsageError, match="most"):
        Pairs(most=0)


def valued(name: str, *steps: str, values: tuple[float | None, ...], of: int | None = 16) -> Trace:
    """A trace whose steps have values, each from so many rollouts."""
    counts = () if of is None else tuple(None if v is None else of for v in values)
    evidence = Evidence("tree", "rollouts", values=values, rollouts=counts)
    return trace(name, *steps, correct=True, labels=None).with_evidence(evidence)


TREE = (
    valued("a", "A ", "B ", "C", values=(0.75, 1.0, 1.0)),
    valued("b", "A ", "B ", "D", values=(0.75, 1.0, 0.0)),
    valued("c", "A ", "E", values=(0.75, 0.5)),
    valued("d", "A ", "F", values=(0.75, 0.125)),
    valued("e", "G", values=(0.125,)),
)
"""Seven steps: A and G begin; B, E and F follow A; C and D follow A B."""


def sides(rows: list[dict]) -> set[tuple[str, str]]:
    return {(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in rows}


def test_steps_after_the_same_text_are_paired_by_their_values() -> None:
    assert sides(pairs(*TREE, kind="value")) == {("A", "G"), ("A B", "A F"), ("A B C", "A B D")}
    every = sides(pairs(*TREE, kind="value", most=9))
    assert every == {("A", "G"), ("A B", "A E"), ("A B", "A F"), ("A B C", "A B D")}
    unsure = sides(pairs(*TREE, kind="value", most=9, sure=False))
    assert unsure == every | {("A E", "A F")}
    assert sides(pairs(*TREE, kind="value", most=9, min_gap=0.9)) == {("A B C", "A B D")}
    gaps = {r["rejected_id"]: r["margin"] for r in pairs(*TREE, kind="value", margin=True)}
    assert gaps == {"p/e": 0.625, "p/d": 0.875, "p/b": 1.0}


def test_values_of_few_rollouts_make_no_pair_and_values_without_counts_do() -> None:
    few = [valued("a", "A", values=(1.0,), of=3), valued("b", "B", values=(0.0,), of=3)]
    with pytest.raises(LeftOut, match="no pair by value"):
        pairs(*few, kind="value")
    assert pairs(*few, kind="value", min_rollouts=3, sure=False)
    uncounted = [valued("a", "A", values=(1.0,), of=None), valued("b", "B", values=(0.5,), of=None)]
    assert pairs(*uncounted, kind="value")
    equal = [valued("a", "A", values=(0.5,)), valued("b", "B", values=(0.5,))]
    with pytest.raises(LeftOut):
        pairs(*equal, kind="value", min_gap=0.0, sure=False)


def test_the_value_with_most_rollouts_behind_it_is_taken_of_one_step() -> None:
    group = [
        valued("a", "A", values=(0.9,), of=8),
        valued("b", "A", values=(0.0,), of=64),
        valued("c", "B", values=(1.0,), of=64),
    ]
    (row,) = pairs(*group, kind="value", margin=True)
    assert (row["chosen_id"], row["rejected_id"], row["margin"]) == ("p/c", "p/b", 1.0)


def by(model: str, name: str, answer: str, text: str) -> Trace:
    origin = Origin(sampler=f"local:{model}", model=model)
    made = trace(name, text, f"It is {answer}.", correct=None)
    return replace(made, answer=answer, origin=origin)


WEAK = [by("weak", "0", "11", "eight and three\n"), by("weak", "1", "12", "eight and four\n")]
STRONG = [by("strong", "2", "11.0", "8 + 3\n"), by("strong", "3", "13", "8 + 5\n")]


def test_what_two_models_say_is_chosen_over_what_one_says() -> None:
    rows = pairs(*WEAK, *STRONG, kind="agreement", most=4)
    found = {(row["chosen_id"], row["rejected_id"]) for row in rows}
    assert found == {(a, b) for a in ("p/0", "p/2") for b in ("p/1", "p/3")}
    with pytest.raises(LeftOut, match="no pair by agreement"):
        pairs(*WEAK, kind="agreement")


def test_the_better_models_traces_are_chosen_whatever_they_answer() -> None:
    rows = pairs(*WEAK, *STRONG, kind="model", better="strong", most=2)
    assert {row["chosen_id"] for row in rows} == {"p/2", "p/3"}
    assert {row["rejected_id"] for row in rows} == {"p/0", "p/1"}
    assert pairs(*WEAK, *STRONG, kind="model", better="local:strong", most=2) == rows
    cut = replace(STRONG[1], finish="length")
    rows = pairs(*WEAK, STRONG[0], cut, kind="model", better="strong", most=2)
    assert {row["chosen_id"] for row in rows} == {"p/2"}
    with pytest.raises(UsageError, match="better=SAMPLER"):
        Pairs(kind="model")
    with pytest.raises(UsageError, match="better"):
        Pairs(better="strong")
