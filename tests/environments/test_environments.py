"""Each environment answers calls as it says, and odd calls without harm."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from prmdata.environments import ENVIRONMENTS, environment, is_harmless
from prmdata.environments.calculator import value_of
from prmdata.errors import InputError, UsageError
from prmdata.records import Problem

PROBLEM = Problem("p", "?")


def turn(*calls: tuple[str, Any]) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": f"c{i}", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(calls)
        ],
    }


def answered(spec: str, *turns: dict[str, Any], **settings: Any) -> list[list[str]]:
    """What each turn is answered with, in a chat of them all."""

    async def run() -> list[list[str]]:
        async with environment(spec, settings).opened() as opened:
            chat: list[Any] = []
            found = []
            for one in turns:
                chat.append(one)
                reply = await opened.answer(PROBLEM, chat, 0)
                chat += reply.messages
                found.append([message["content"] for message in reply.messages])
            return found

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("12 * (3 + 4.5)", "90"),
        ("1 / 8", "0.125"),
        ("2 / 3", "0.666666666667"),
        ("-7 // 2", "-4"),
        ("0.1 + 0.2", "0.3"),
        ("2^10 − 3 × 4", "1012"),
        ("1 / 0", "error: division by zero"),
        ("9**9**9", "error: the value is too large"),
        ("(" * 200, "error: "),
        ("-" * 399 + "1", "-1"),
        ("__import__('os')", "error: only numbers"),
        ("True + 1", "error: only numbers"),
        ("1" * 500, "error: the expression is longer"),
        ("", "error: "),
    ],
)
def test_the_calculator_is_exact_and_evaluates_nothing_else(expression: str, value: str) -> None:
    found = value_of({"expression": expression})
    assert found.startswith(value) if value.startswith("error") else found == value


def test_several_calls_of_one_turn_are_answered_in_order() -> None:
    calls = turn(("calculator", {"expression": "1 + 1"}), ("calculator", {"expression": "2 * 3"}))
    assert answered("calculator", calls) == [["2", "6"]]


def test_python_keeps_names_within_a_trace_and_shows_the_last_value() -> None:
    found = answered(
        "python",
        turn(("python", {"code": "x = 20\nprint('set')"})),
        turn(("python", {"code": "x += 1\nx * 2"}), ("python", {"code": "x"})),
        turn(("python", {"code": "1 / 0"})),
        turn(("python", {"code": "import sys; sys.exit(3)"})),
        turn(("python", {"code": "print('still', x)"})),
    )
    assert found == [
        ["set"],
        ["42", "21"],
        ["ZeroDivisionError: division by zero"],
        [""],
        ["still 21"],
    ]


def test_python_ends_what_takes_too_long_or_too_much() -> None:
    (slow,), (large,) = answered(
        "python",
        turn(("python", {"code": "print('begun', flush=True)\nwhile True: pass"})),
        turn(("python", {"code": "x = 'x' * (2 << 30)"})),
        deadline_s=1.0,
        memory_mb=64,
    )
    assert "took longer than 1 s" in slow
    assert "error" in large or "Memory" in large


PASSAGES = [
    {"id": "a", "title": "Rome", "text": "The capital of Italy lies on the Tiber."},
    {"id": "b", "title": "Oslo", "text": "The capital of Norway lies on a fjord."},
    {"id": "c", "title": "Paris", "text": "The capital of France lies on the Seine."},
]


def corpus(folder: Path) -> str:
    path = folder / "corpus.jsonl"
    path.write_text("".join(json.dumps(passage) + "\n" for passage in PASSAGES))
    return f"search:{path}"


def ids(text: str) -> list[list[str]]:
    return [[passage["id"] for passage in found] for found in json.loads(text)["result"]]


def test_search_finds_the_passages_that_fit_best(tmp_path: Path) -> None:
    pytest.importorskip("tantivy")
    found = answered(
        corpus(tmp_path),
        turn(("search", {"query": "Which city lies on the Tiber?"})),
        turn(("search", {"query_list": ["fjords", "the Seine AND (France"]})),
        turn(("search", {"query": "zebra"}), ("search", {"query": ""}), ("search", {})),
        k=1,
    )
    assert ids(found[0][0]) == [["a"]]
    assert ids(found[1][0]) == [["b"], ["c"]]
    assert ids(found[2][0]) == [[]]
    assert [text.startswith("error") for text in found[2]] == [False, True, True]


def test_a_corpus_without_passages_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(InputError, match="needs its text in a column contents, text"):
        answered(f"search:{tmp_path / 'c.jsonl'}", turn())


def double(asked: dict[str, Any]) -> dict[str, Any]:
    """A user's environment as a function."""
    if not asked["messages"]:
        return {"tools": [{"type": "function", "function": {"name": "double"}}]}
    number = asked["messages"][-1]["tool_calls"][0]
    return {"messages": [{"role": "tool", "tool_call_id": number["id"], "content": "84"}]}


def test_a_function_of_the_user_is_an_environment() -> None:
    found = answered(f"{__name__}:double", turn(("double", {})), workers=1)
    assert found == [["84"]]


def test_specs_are_checked_before_anything_starts() -> None:
    for spec, reason in (
        ("serach:x", "did you mean 'search'"),
        ("search", "needs a source"),
        ("search:", "needs a corpus"),
        ("calculator:x", "takes nothing after the colon"),
    ):
        with pytest.raises(UsageError, match=reason):
            environment(spec, {})
    with pytest.raises(UsageError, match="unknown setting"):
        environment("calculator", {"k": 3})


def test_only_what_runs_no_program_and_asks_no_server_is_harmless() -> None:
    harmless = [name for name in ENVIRONMENTS if is_harmless(name)]
    assert "command" not in harmless
    assert not is_harmless("search:http://example.org/retrieve")
    assert not is_harmless("os:system")
    assert is_harmless("search:corpus.jsonl")
