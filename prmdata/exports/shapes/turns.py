"""Chats with tools as rows hold them: typed messages, and the tools beside as JSON text.

Arguments of calls are JSON text, as the OpenAI API has them; trainers' chat templates take both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from prmdata.exports.contract import Row
from prmdata.records import Message, Step, Trace, content_of


def turns_type() -> Any:
    import pyarrow as pa

    text = pa.string()
    function = pa.struct([("name", text), ("arguments", text)])
    call = pa.struct([("id", text), ("type", text), ("function", function)])
    return pa.list_(
        pa.struct(
            [
                ("role", text),
                ("content", text),
                ("tool_calls", pa.list_(call)),
                ("tool_call_id", text),
                ("name", text),
            ]
        )
    )


def turn(message: Message) -> Row:
    calls = [_call(call) for call in Step("", messages=(message,)).calls]
    own = {name: message.get(name) for name in ("tool_call_id", "name")}
    return {
        "role": str(message.get("role")),
        "content": content_of(message),
        "tool_calls": calls or None,
        **{name: None if value is None else str(value) for name, value in own.items()},
    }


def _call(call: Mapping[str, Any]) -> Row:
    arguments, number = call.get("arguments"), call.get("id")
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return {
        "id": None if number is None else str(number),
        "type": "function",
        "function": {"name": str(call.get("name")), "arguments": text},
    }


def turns_of(trace: Trace, start: int = 0, end: int | None = None) -> list[Message]:
    """The messages of some steps; a trace that is one text is a turn by itself."""
    if not trace.acts:
        text = "".join(step.text for step in trace.steps[start:end])
        return [{"role": "assistant", "content": text.rstrip()}] if text.strip() else []
    return [message for step in trace.steps[start:end] for message in step.messages]


def tools_of(trace: Trace) -> str | None:
    tools: Sequence[Any] = trace.origin.tools
    return msgspec.json.encode(list(tools)).decode() if tools else None


def with_answers(step: Step) -> str:
    """The words of a step and, between tags, what answered them: for layouts of plain text."""
    answers = [
        f"\n<{_tag(message)}>\n{content_of(message)}\n</{_tag(message)}>"
        for message in step.messages[1:]
    ]
    return step.text.rstrip() + "".join(answers)


def _tag(message: Message) -> str:
    return "tool_response" if message.get("role") == "tool" else "user"
