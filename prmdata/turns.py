"""Chat messages ↔ the steps of a trace that acts.

A step is a turn of the assistant with what answered it: results of tools, words of the user. A turn
may be cut finer: then its last step holds the messages, and those before it are its beginning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from prmdata.records import Message, Step, Trace, content_of

THOUGHTS = ("reasoning_content", "thinking", "reasoning")
Cut = Callable[[str], Sequence[Step]]


def acts(messages: Sequence[Message]) -> bool:
    """Whether a chat has tools, or a user who speaks again after the assistant."""
    roles = [message.get("role") for message in messages]
    first = roles.index("assistant") if "assistant" in roles else len(roles)
    later = {"tool", "user"} & set(roles[first:])
    return bool(later) or any(message.get("tool_calls") for message in messages)


def steps_of(messages: Sequence[Message], cut: Cut | None = None) -> tuple[Step, ...]:
    """The steps of the messages that begin with the assistant's first turn."""
    starts = [i for i, message in enumerate(messages) if message.get("role") == "assistant"]
    steps: list[Step] = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(messages)
        steps += _steps(tuple(messages[start:end]), last=number + 1 == len(starts), cut=cut)
    return tuple(steps)


def _steps(messages: tuple[Message, ...], *, last: bool, cut: Cut | None) -> list[Step]:
    said = words_of(messages[0]) + ("" if last else "\n")
    pieces = list(cut(said)) if cut and said.strip() else [Step(said)]
    closing = replace(pieces[-1], messages=messages)
    kind: Any = "tool_call" if closing.calls else "answer" if last else closing.kind
    return [*pieces[:-1], replace(closing, kind=kind)]


def words_of(turn: Message) -> str:
    """A turn of the assistant as one text: what it thought, said and called."""
    text = content_of(turn)
    thought = next((turn[name] for name in THOUGHTS if turn.get(name)), None)
    if isinstance(thought, str) and "<think>" not in text:
        text = f"<think>\n{thought}\n</think>\n\n{text}"
    parts = [text] if text.strip() else []
    parts += [f"<tool_call>\n{_as_json(c)}\n</tool_call>" for c in Step("", messages=(turn,)).calls]
    return "\n".join(parts)


def _as_json(call: Mapping[str, object]) -> str:
    shown = {"name": call["name"], "arguments": arguments_of(call)}
    return json.dumps(shown, ensure_ascii=False)


def arguments_of(call: Mapping[str, object]) -> object:
    """The arguments of a call as an object, where they are one or its JSON; else as they stand."""
    arguments = call.get("arguments")
    if not isinstance(arguments, str):
        return arguments
    try:
        read = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    return read if isinstance(read, dict) else arguments


def chat_until(trace: Trace, steps: int) -> tuple[list[Message], str]:
    """The messages of the turns that the first `steps` steps end, and what is begun of the next."""
    messages: list[Message] = []
    begun = ""
    for step in trace.steps[:steps]:
        messages += step.messages
        begun = "" if step.messages else begun + step.text
    return messages, begun


def chat_of(trace: Trace) -> list[Message]:
    """All messages of a trace: its prompt, and its turns with what answered them."""
    messages = list(trace.origin.messages)
    if trace.acts:
        return messages + [message for step in trace.steps for message in step.messages]
    return [*messages, {"role": "assistant", "content": trace.text}]


def closing_messages(trace: Trace) -> Iterator[tuple[int, int]]:
    """Steps that end a turn of the assistant, each with the place of that turn in the chat."""
    place = len(trace.origin.messages)
    for index, step in enumerate(trace.steps):
        if step.messages:
            yield index, place
            place += len(step.messages)


def final_words(trace: Trace) -> str:
    """Where the answer stands: the last turn, if it calls no tool; of a text, all of it."""
    if not trace.acts:
        return trace.text
    if not trace.steps[-1].messages:
        return ""
    return "" if trace.steps[-1].calls else content_of(trace.steps[-1].messages[0])


def path_to(nodes: Sequence[Mapping[str, Any]], leaf: int) -> list[int]:
    """Of a graph of messages (verifiers), the places from the root to a leaf."""
    path = [leaf]
    while (parent := nodes[path[-1]].get("parent")) is not None:
        path.append(parent)
    return path[::-1]


def is_turn(node: Mapping[str, Any]) -> bool:
    """Whether the model itself wrote it; other assistants' messages were given to it."""
    return node["message"]["role"] == "assistant" and node.get("sampled", True) is not False


def documents_of(step: Step) -> Iterator[tuple[str | None, str]]:
    """Of each passage in what tools returned: its id or title, where it has one, and its text."""
    for message in step.messages[1:]:
        if message.get("role") != "tool":
            continue
        text = message.get("content")
        try:
            read = json.loads(text) if isinstance(text, str) else text
        except (ValueError, RecursionError):
            read = text
        yield from _documents(read, 0)


def _documents(value: object, depth: int) -> Iterator[tuple[str | None, str]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for one in value:
            yield from _documents(one, depth + 1)
    elif isinstance(value, Mapping):
        text = next((value[n] for n in ("contents", "text", "passage") if n in value), None)
        if text is None:
            for one in value.values():
                yield from _documents(one, depth + 1)
            return
        own = value.get("id", value.get("title"))
        yield (None if own is None else str(own)), str(text)
    elif isinstance(value, str) and value.strip() and depth == 0:
        yield None, value
