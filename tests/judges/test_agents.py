"""Judging agents: single actions beside their siblings, and the passages that searches bring."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest

from prmdata.judges.action import parts
from prmdata.judges.passages import useful
from prmdata.records import Evidence, Problem, Trace
from prmdata.turns import steps_of
from tests.judges.oracle import Scripted, session


def agent(name: str, *queries: str, answer: str = "It is Bern.", **more: object) -> Trace:
    """A trace that searches for each of the queries; a passage of each result names the query."""
    messages: list[dict[str, object]] = []
    for number, query in enumerate(queries):
        function = {"name": "search", "arguments": json.dumps({"query": query})}
        found = [{"id": f"{query} {i}", "contents": f"{query} passage {i}"} for i in range(4)]
        messages += [
            {"role": "assistant", "content": f"I look for {query}.",
             "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": json.dumps({"result": found})},
        ]  # fmt: skip
    messages.append({"role": "assistant", "content": answer})
    problem = Problem("p", "What is the capital?", "Bern", kind="qa")
    return Trace(name, problem, steps_of(messages), **more)  # type: ignore[arg-type]


def judged(way: str, sampler: Scripted, traces: list[Trace], **settings: object) -> list[Trace]:
    how, asked = session(way, sampler, **settings)
    return asyncio.run(how.judge(traces, asked))  # type: ignore[attr-defined, no-any-return]


def by_query(scores: dict[str, int]) -> Scripted:
    """Scores the query of the action by its first word."""

    def says(user: str, system: str, seed: int) -> str:
        action = user.partition("<action>")[2]
        found = re.findall(r'"query": "(\w+)"', action)
        if not found:
            return json.dumps({"thought": None, "query": None, "answer": 1})
        return f"So. {json.dumps({'thought': 0, 'query': scores[found[0]], 'answer': None})}"

    return Scripted(says)


def proposed(trace: Trace, at: int) -> Trace:
    return trace.with_evidence(Evidence("next-step", "rollouts", settings={"after_step": at}))


def test_an_action_is_rewarded_beside_its_siblings() -> None:
    names = ("good", "fair", "bad")
    traces = [proposed(agent(name, "first", name), 1) for name in names]
    sampler = by_query({"good": 1, "fair": 0, "bad": -1})
    made = judged("action", sampler, traces)
    rewards = [trace.evidence[-1].rewards for trace in made]
    spread = (2 / 3) ** 0.5
    assert [one[1] for one in rewards] == pytest.approx([1 / spread, 0, -1 / spread])
    assert all(one[0] is one[2] is None for one in rewards)
    assert made[0].evidence[-1].notes[1] == "thought +0, query +1"
    assert len(sampler.asked) == 3
    assert "first passage 3" in sampler.asked[0]  # what the steps before had brought
    assert "good passage" not in sampler.asked[0]  # not what the action itself brings
    assert "Bern" not in sampler.asked[0]


def test_equal_siblings_get_nothing_and_lonely_ones_no_reward() -> None:
    alike = [proposed(agent(name, "first", name), 1) for name in ("good", "fair")]
    made = judged("action", by_query({"good": 1, "fair": 1}), alike)
    assert [trace.evidence[-1].rewards[1] for trace in made] == [0, 0]
    [lonely] = judged("action", by_query({"good": 1, "first": 1}), [agent("a", "first", "good")])
    assert lonely.evidence[-1].rewards == (None, None, None)
    [alone] = judged(
        "action",
        by_query({"good": 1, "first": -1}),
        [agent("a", "first", "good")],
        normalised=False,
    )
    assert alone.evidence[-1].rewards == (-1, 1, 1)


def test_the_same_action_twice_is_one_sibling() -> None:
    traces = [
        replace(proposed(agent("x", "first", name), 1), id=f"{name}{i}")
        for i, name in enumerate(("good", "good", "good", "bad"))
    ]
    made = judged("action", by_query({"good": 1, "bad": -1}), traces)
    assert [t.evidence[-1].rewards[1] for t in made] == pytest.approx([1, 1, 1, -1])


def test_a_good_answer_earns_more_the_earlier_it_comes() -> None:
    traces = [agent("early", "a"), agent("late", "a", "b", "c")]
    sampler = by_query({"a": 0, "b": 0, "c": 0})
    made = judged("action", sampler, traces, early=1.0, normalised=False)
    assert made[0].evidence[-1].rewards[-1] == pytest.approx(1.5)  # two steps of four
    assert made[1].evidence[-1].rewards[-1] == pytest.approx(1.0)


def test_a_search_is_worth_the_share_of_its_passages_that_bear_on_the_question() -> None:
    def says(user: str, system: str, seed: int) -> str:
        lines = re.findall(r"<passage_(\d)>\n(.*?)\n</passage_", user)
        return json.dumps([int(n) for n, text in lines if text.startswith("near") and n != "2"])

    made = judged("passages", Scripted(says), [agent("a", "near", "far"), agent("b", "near")])
    assert made[0].evidence[-1].rewards == (0.75, 0.0, None)
    assert made[0].evidence[-1].notes[0] == "75% of 4 passages"
    wrong = agent("c", "near", correct=False)
    only = judged(
        "passages", Scripted(says), [wrong, agent("d", "near", correct=True)], only_right=True
    )
    assert [trace.evidence[-1].rewards[0] for trace in only] == [0.0, 0.75]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"thought": 1, "query": -1, "answer": null}', {"thought": 1, "query": -1}),
        ('I think {this} is\n{"thought": 0}', {"thought": 0}),
        ('{"thought": 2}', None),
        ('{"thought": true}', None),
        ('{"thought": null}', None),
        ("[1]", None),
        ("", None),
    ],
)
def test_scores_are_read_or_not_there(text: str, found: dict[str, int] | None) -> None:
    assert parts(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[1, 3]", {1, 3}),
        ("[]", set()),
        ('Useful: {"useful": [2]}', {2}),
        ("[0]", None),
        ("[5]", None),
        ("[true]", None),
        ("[" * 5000, None),
        ("none", None),
    ],
)
def test_useful_passages_are_read_or_not_known(text: str, found: set[int] | None) -> None:
    assert useful(text, 4) == found
