"""Calls are matched so that their likeness is greatest in all; odd arguments harm nobody."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from typing import Any

import pytest

from prmdata.records import Problem, Trace
from prmdata.turns import steps_of
from prmdata.verifiers.calls.likeness import same, similarity, toolrl
from prmdata.verifiers.calls.matching import assigned, in_order, transported
from prmdata.verifiers.contract import Finding
from prmdata.verifiers.tool_match import ToolMatch

GOLD = [
    {"name": "find", "arguments": {"q": "a", "n": 1}},
    {"name": "find", "arguments": {"q": "b", "n": 2}},
    {"name": "book", "arguments": {"id": 7}},
]


def trace(
    *turns: list[tuple[str, Any]], gold: list[Any] | None = None, answer: str = "Done."
) -> Trace:
    messages: list[dict[str, Any]] = []
    for calls in turns:
        made = [
            {"id": "c", "type": "function", "function": {"name": n, "arguments": a}}
            for n, a in calls
        ]
        messages += [
            {"role": "assistant", "content": "", "tool_calls": made},
            {"role": "tool", "content": "ok"},
        ]
    messages.append({"role": "assistant", "content": answer})
    context = {} if gold is None else {"calls": gold}
    return Trace("t", Problem("p", "?", "Done.", context=context), steps_of(messages))


def found(one: Trace, **settings: Any) -> list[Finding]:
    return list(asyncio.run(ToolMatch(**settings).verify(one)))


def gold_turns() -> list[list[tuple[str, Any]]]:
    return [[(call["name"], json.dumps(call["arguments"]))] for call in GOLD]


def test_gold_against_itself_is_all_right() -> None:
    findings = found(trace(*gold_turns(), gold=GOLD))
    assert [f.verdict for f in findings] == ["right"] * 3 + ["unknown"]
    assert [f.reward for f in findings] == [1, 1, 1, 1]
    assert found(trace(*gold_turns(), gold=GOLD), rewards="toolrl")[0].reward == pytest.approx(3)


def test_the_order_of_calls_is_free_unless_asked() -> None:
    turns = gold_turns()[::-1]
    assert [f.reward for f in found(trace(*turns, gold=GOLD))[:3]] == [1, 1, 1]
    ordered = [f.reward for f in found(trace(*turns, gold=GOLD), ordered=True)[:3]]
    assert sum(ordered) == pytest.approx(1)


def test_permuted_calls_have_permuted_rewards() -> None:
    calls = [
        ("find", {"q": "a", "n": 5}),
        ("find", {"q": "b", "n": 2}),
        ("book", {"id": 8}),
        ("book", {"id": 7}),
    ]
    plain = [f.reward for f in found(trace(*([c] for c in calls), gold=GOLD))[:4]]
    for order in itertools.permutations(range(4)):
        moved = [f.reward for f in found(trace(*([calls[i]] for i in order), gold=GOLD))[:4]]
        assert moved == [plain[i] for i in order]


def test_a_call_that_is_made_twice_is_left_over_the_second_time() -> None:
    turns = [*gold_turns(), gold_turns()[2]]
    findings = found(trace(*turns, gold=GOLD), unmatched=-0.5)
    verdicts = [f.verdict for f in findings[:4]]
    assert sorted(verdicts) == ["right", "right", "right", "wrong"]
    assert findings[verdicts.index("wrong")].reward == -0.5


def test_arguments_may_be_text_objects_or_not_readable() -> None:
    turns = [[("find", {"n": 1.0, "q": "a"})], [("find", "{broken")], [("cook", {})]]
    findings = found(trace(*turns, gold=GOLD))
    assert findings[0].verdict == "right"  # 1 and 1.0, and the order of keys
    assert findings[1].reward == pytest.approx(1 / 4)
    assert (findings[2].verdict, findings[2].reward) == ("unknown", 0)  # a gold call is left


def test_without_gold_calls_nothing_is_said() -> None:
    assert {f.verdict for f in found(trace(*gold_turns()))} == {"unknown"}
    assert {f.reward for f in found(trace(*gold_turns()))} == {None}


def test_the_assignment_is_optimal_where_a_greedy_one_is_not() -> None:
    assert assigned([[0.9, 0.8], [0.8, 0.0]]) == [1, 0]


def best(table: list[list[float]]) -> float:
    rows, columns = len(table), len(table[0])
    small, flip = (rows, False) if rows <= columns else (columns, True)
    large = max(rows, columns)
    return max(
        sum(table[j][i] if flip else table[i][j] for i, j in enumerate(order))
        for order in itertools.permutations(range(large), small)
    )


def test_the_assignment_is_as_good_as_any_on_random_tables() -> None:
    chance = random.Random(5)
    for _ in range(400):
        rows, columns = chance.randint(1, 6), chance.randint(1, 6)
        table = [
            [chance.choice([0.0, chance.random()]) for _ in range(columns)] for _ in range(rows)
        ]
        places = assigned(table)
        taken = [place for place in places if place is not None]
        assert len(set(taken)) == len(taken)
        assert sum(table[i][p] for i, p in enumerate(places) if p is not None) == pytest.approx(
            best(table)
        )


def test_matching_in_order_is_the_best_that_crosses_nowhere() -> None:
    chance = random.Random(6)
    for _ in range(200):
        table = [[chance.random() for _ in range(4)] for _ in range(4)]
        pairs = list(itertools.product(range(4), range(4)))
        most = 0.0
        for size in range(5):
            for chosen in itertools.combinations(pairs, size):
                if all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(chosen)):
                    most = max(most, sum(table[i][j] for i, j in chosen))
        places = in_order(table)
        assert sum(table[i][p] for i, p in enumerate(places) if p is not None) == pytest.approx(
            most
        )
        assert [p for p in places if p is not None] == sorted(p for p in places if p is not None)


def test_soft_shares_sum_to_one_and_sharpen_into_the_assignment() -> None:
    table = [[0.9, 0.8], [0.8, 0.1]]
    for row in transported(table, 0.1):
        assert sum(row) == pytest.approx(1)
    sharp = transported(table, 0.01)
    assert sharp[0][1] > 0.99
    assert sharp[1][0] > 0.99


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True), (True, 1, False), ("a ", "a", True), (None, None, True), ([1, 2], [2, 1], False),
        ({"a": 1, "b": [1.0]}, {"b": [1], "a": 1}, True), ("1", 1, False),
    ],
)  # fmt: skip
def test_values_are_compared_as_json(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal


def test_likeness_counts_names_parameters_and_values() -> None:
    gold = ("Find", {"q": "a", "n": 1})
    assert similarity(("find", {"q": "a", "n": 1}), gold) == 1
    assert similarity(("find", {"q": "a"}), gold) == pytest.approx((1 + 0.5 + 1) / 4)
    assert similarity(("look", {"q": "a", "n": 1}), gold) == 0
    assert similarity(("now", {}), ("now", {})) == 1
    assert toolrl([], [gold]) == -3


@pytest.mark.parametrize(
    ("made", "reward", "verdict"),
    [
        (("click", {"coordinate": [15, 25]}), 3, "right"),
        (("CLICK", {"x": 10, "y": 20}), 3, "right"),  # on the edge
        (("click", {"coordinate": [31, 25]}), 2, "unknown"),
        (("click", {"coordinate": "15,25"}), 2, "unknown"),
        (("click", {}), 2, "unknown"),
        (("click", "not JSON"), 1, "unknown"),
        (("type", {"text": "a"}), 1, "unknown"),
    ],
)
def test_a_click_counts_within_the_box(made: tuple[str, Any], reward: int, verdict: str) -> None:
    gold = [{"name": "click", "arguments": {"box": [10, 20, 30, 40]}}]
    one = found(trace([made], gold=gold), rewards="ui")[0]
    assert (one.reward, one.verdict) == (reward, verdict)


def test_texts_typed_on_a_screen_are_compared_without_case_and_spaces() -> None:
    gold = [
        {"name": "type", "arguments": {"text": "New  York"}},
        {"name": "click", "arguments": {"box": [0, 0, 9, 9]}},
        {"name": "click", "arguments": {"box": [50, 50, 59, 59]}},
    ]
    turns = [("click", {"point": [55, 51]}), ("type", {"text": " new york"}), ("scroll", {})]
    findings = found(trace(*([turn] for turn in turns), gold=gold), rewards="ui")
    assert [one.reward for one in findings[:3]] == [3, 3, 1]
    assert "gold call 3" in str(findings[0].note)  # each click with its own box
    assert [one.verdict for one in findings[:3]] == ["right", "right", "unknown"]
