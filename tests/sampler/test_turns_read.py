"""Calls of tools in the ways that models write them; and what is no call stays text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prmdata.sampler.acting.reading import turn_of

ARGUMENTS = {"q": "a b", "n": 3}
CALL = json.dumps({"name": "find", "arguments": ARGUMENTS})
WAYS = {
    "hermes": f"I look.\n<tool_call>\n{CALL}\n</tool_call>",
    "hermes without an end": f"I look.\n<tool_call>\n{CALL}",
    "qwen coder": "I look.\n<tool_call>\n<function=find>\n<parameter=q>\na b\n</parameter>\n<parameter=n>\n3\n</parameter>\n</function>\n</tool_call>",
    "mistral": f"I look.[TOOL_CALLS][{CALL}]",
    "mistral, newer": f"I look.[TOOL_CALLS]find[ARGS]{json.dumps(ARGUMENTS)}",
    "llama": f'I look.<|python_tag|>{{"name": "find", "parameters": {json.dumps(ARGUMENTS)}}}',
    "llama, bare": f'{{"name": "find", "parameters": {json.dumps(ARGUMENTS)}}}',
    "after a thought": f"<think>\n<tool_call>no</tool_call>\n</think>\n\nI look.<tool_call>{CALL}</tool_call>",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_read_in_every_way(way: str) -> None:
    message = turn_of(WAYS[way], 4).message
    (call,) = message["tool_calls"]
    assert call["id"] == "call00004"
    assert call["function"]["name"] == "find"
    read = json.loads(call["function"]["arguments"])
    assert {name: str(value) for name, value in read.items()} == {"q": "a b", "n": "3"}
    assert message["content"].endswith("I look." if "bare" not in way else "")


def test_several_calls_have_ids_of_their_own() -> None:
    text = f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>"
    assert [c["id"] for c in turn_of(text, 0).message["tool_calls"]] == ["call00000", "call00001"]


@pytest.mark.parametrize(
    "text",
    ["The answer is 3.", '{"name": 3}', '{"a": 1}', "[1, 2]", "", "<think>\n<tool_call>", "}{"],
)
def test_what_is_no_call_stays_text(text: str) -> None:
    turn = turn_of(text, 0)
    assert turn.message == {"role": "assistant", "content": text}
    assert turn.unreadable == (text.startswith("<think>"))


@given(st.text(alphabet='<>/tool_callfunction=parameter{}[]":,name \n', max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    for odd in (
        text,
        f"<tool_call>{text}",
        f"[TOOL_CALLS]{text}",
        f"<tool_call>{text}</tool_call>{text}",
    ):
        message = turn_of(odd, 0).message
        json.dumps(message)
        for call in message.get("tool_calls", ()):
            assert isinstance(call["function"]["arguments"], str)
