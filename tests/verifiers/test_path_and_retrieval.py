"""Paths that are named once, and searches that bring something new."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from prmdata.records import Problem, Step, Trace
from prmdata.turns import steps_of
from prmdata.verifiers.path import Path
from prmdata.verifiers.retrieval import Retrieval

PATH = [["Ann", "born in", "Rome"], ["Rome", "capital of", "Italy"]]
GRAPH = [*PATH, ["Oslo", "capital of", "Norway"]]


def walk(*texts: str, **context: Any) -> list[tuple[str, float | None]]:
    problem = Problem("p", "?", context={"path": PATH, "graph": GRAPH, **context})
    trace = Trace("t", problem, tuple(Step(text) for text in texts))
    return [(f.verdict, f.reward) for f in asyncio.run(Path().verify(trace))]


def test_the_gold_path_read_aloud_is_covered_whole() -> None:
    found = walk("Ann was born in Rome.", "ROME is the capital of Italy!", "So: Ann, Rome, Italy.")
    assert found == [("right", 0.5), ("right", 0.5), ("unknown", 0.0)]  # repeated, it pays once


def test_aliases_name_an_entity_and_parts_of_words_do_not() -> None:
    assert walk("Anna Smith came from Rome.", aliases={"Ann": ["Anna Smith"]})[0] == ("right", 0.5)
    assert walk("Annexes of Romey.")[0] == ("unknown", 0.0)


def test_another_tail_of_a_functional_relation_is_wrong() -> None:
    text = "Rome is the capital of Norway."
    assert walk(text, functional=["capital of"])[0] == ("wrong", 0.0)
    assert walk(text)[0] == ("unknown", 0.0)  # not said to have one tail only


def test_without_a_path_nothing_is_said() -> None:
    assert walk("Ann was born in Rome.", path=None) == [("unknown", None)]
    assert walk("x", path=[["a", "b"], 3, None]) == [("unknown", None)]


def searches(*results: Any, rewards: str, **context: Any) -> list[float | None]:
    messages: list[Any] = []
    for result in results:
        calls = [{"id": "c", "function": {"name": "search", "arguments": "{}"}}]
        text = result if isinstance(result, str) else json.dumps({"result": [result]})
        messages += [
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c", "content": text},
        ]
    messages.append({"role": "assistant", "content": "Done."})
    trace = Trace("t", Problem("p", "?", "Rome", context=context), steps_of(messages))
    how = Retrieval(rewards=rewards)  # type: ignore[arg-type]
    return [found.reward for found in asyncio.run(how.verify(trace))][:-1]


A = {"id": "1", "contents": "Rome\nThe city on the Tiber"}
B = {"document": {"id": "2", "contents": "Oslo lies on a fjord"}, "score": 0.5}


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [("novelty", [1.0, 0.5, 0.0]), ("answer", [0.0, 1.0, 0.0]), ("gold", [0.5, 0.5, 0.0])],
)
def test_each_search_is_paid_for_what_it_is_the_first_to_bring(
    rewards: str, expected: list[float]
) -> None:
    assert searches([B], [A, B], [A], rewards=rewards, gold_documents=["2", "Rome"]) == expected


def test_plain_text_and_broken_json_are_passages_too() -> None:
    assert searches("Rome.", "Rome.", '{"result": [', rewards="novelty") == [1.0, 0.0, 1.0]
    assert searches("the end of Romeo", rewards="answer") == [0.0]
    assert searches([A], rewards="gold") == [None]


def test_another_problems_documents_bring_no_answer() -> None:
    assert searches([B], [B], rewards="answer") == [0.0, 0.0]
