"""What a model wrote in its turn → the assistant's message, with its calls of tools.

Models mark calls in few ways: `<tool_call>{JSON}</tool_call>` (Hermes, Qwen), the same with
`<function=…><parameter=…>` in it (Qwen3-Coder), `[TOOL_CALLS]` (Mistral), and JSON alone (Llama 3).
Nothing is evaluated: what cannot be read is no call, and the model is told so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from prmdata.records import Message

_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"\s*<function=([^>\s]{1,200})>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]{1,200})>\n?(.*?)\n?</parameter>", re.DOTALL)
_MISTRAL = "[TOOL_CALLS]"
_LLAMA = "<|python_tag|>"
MOST_CALLS = 32
UNREADABLE = (
    "Your call of a tool could not be read. Write it exactly as you were told, with the arguments "
    "as a JSON object."
)


@dataclass(frozen=True, slots=True)
class Turn:
    message: Message
    unreadable: bool = False
    """It meant to call a tool, but the call cannot be read."""


def turn_of(text: str, number: int) -> Turn:
    """`number`: how many calls the trace has made before; ids go on from there."""
    said, marked = _split(text)
    calls = [call for one in marked[:MOST_CALLS] for call in _calls(one)]
    if not marked or not calls:
        return Turn({"role": "assistant", "content": text}, unreadable=bool(marked))
    message: Message = {"role": "assistant", "content": said.rstrip()}
    message["tool_calls"] = [
        {
            "id": f"call{number + i:05d}",  # nine letters and digits: what Mistral's template asks
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for i, (name, arguments) in enumerate(calls[:MOST_CALLS])
    ]
    return Turn(message)


def _split(text: str) -> tuple[str, list[str]]:
    """What is said before the first call, and the text of each call. Thoughts call nothing."""
    begin = text.rfind("</think>") + len("</think>") if "</think>" in text else 0
    after = text[begin:]
    if "<tool_call>" in after:
        return text[: begin + after.index("<tool_call>")], _TAGGED.findall(after)
    for mark in (_MISTRAL, _LLAMA):
        if mark in after:
            said, _, calls = after.partition(mark)
            return text[:begin] + said, [calls]
    bare = after.strip()
    if bare.startswith("{") and bare.endswith("}") and _calls(bare):
        return text[:begin], [bare]
    return text, []


def _calls(text: str) -> list[tuple[str, str]]:
    """Name and arguments (JSON text) of each call in what one mark holds."""
    if functions := _FUNCTION.findall(text):
        return [(name, _parameters(body)) for name, body in functions]
    name, mark, arguments = text.partition("[ARGS]")
    if mark:
        return [(name.strip(), arguments.strip())]
    try:
        read = msgspec.json.decode(text.strip())
    except (msgspec.DecodeError, RecursionError):
        return []
    return list(_named(read if isinstance(read, list) else [read]))


def _named(values: Iterable[object]) -> Iterable[tuple[str, str]]:
    for value in values:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            continue
        if "arguments" in value or "parameters" in value:
            arguments = value.get("arguments", value.get("parameters"))
            yield value["name"], arguments if isinstance(arguments, str) else _json(arguments)


def _parameters(body: str) -> str:
    found = {}
    for name, text in _PARAMETER.findall(body):
        try:
            found[name] = msgspec.json.decode(text) if text[:1] in "[{" else text
        except (msgspec.DecodeError, RecursionError):
            found[name] = text
    return _json(found)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
