"""Chats (messages or conversations; answer or solution; tools) with an assistant's solution.

What a model thought (`reasoning_content`, `thinking`) goes before its words as `<think>…</think>`,
where its words do not hold it already. In a chat with tools, or one in which the user speaks again,
a step is a turn of the assistant with what answered it, and all messages are kept as they stand;
any `--steps` but auto cuts turns finer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from prmdata.errors import InputError, unknown
from prmdata.files.nested import value_at
from prmdata.imports.contract import Row, bare, list_of
from prmdata.problems.contract import is_nothing
from prmdata.records import Message, Trace, content_of
from prmdata.traces.generate import cut_steps
from prmdata.traces.steps import splitter
from prmdata.turns import acts, steps_of, words_of

FIELDS = ("messages", "answer", "id", "context", "calls")
ROLES = {"human": "user", "gpt": "assistant", "function": "tool", "observation": "tool"}


@dataclass(frozen=True, slots=True)
class Chat:
    steps: str = "auto"
    """How turns are cut into steps."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """messages, answer, id, context (what verifiers may need, an object), calls (the gold calls of
    tools, a list) → column."""

    def __post_init__(self) -> None:
        splitter(self.steps)
        for name in self.fields:
            if name not in FIELDS:
                raise unknown("field of a chat", name, FIELDS)

    @classmethod
    def fits(cls, row: Row) -> bool:
        found = row.get("messages") or row.get("conversations")
        return isinstance(found, list) and bool(found) and isinstance(found[0], Mapping)

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        guessed = "messages" if row.get("messages") else "conversations"
        name = self.fields.get("messages", guessed)
        answer = value_at(row, self.fields["answer"]) if "answer" in self.fields else _gold(row)
        own = value_at(row, self.fields["id"]) if "id" in self.fields else None
        trace = self.trace(list_of(row, name, where), tools_of(row, where), where)
        problem = replace(
            trace.problem,
            answer=None if is_nothing(answer) else str(answer),
            context=self._context(row, where),
        )
        yield replace(trace, id="" if is_nothing(own) else str(own), problem=problem)

    def _context(self, row: Row, where: str) -> dict[str, object]:
        """What the row has for verifiers: its context, and gold calls of tools."""
        found = decoded(value_at(row, self.fields.get("context", "context")))
        context = dict(found) if isinstance(found, Mapping) else {}
        column = self.fields.get("calls", "calls")
        if not is_nothing(value_at(row, column)):
            context["calls"] = [decoded(call) for call in list_of(row, column, where)]
        return context

    def trace(
        self, messages: list[object], tools: tuple[Message, ...], where: str, by_turn: bool = False
    ) -> Trace:
        """The trace of a chat; its question is what the user said before the assistant spoke.
        `by_turn`: a step is a turn, even where the chat is a question and one answer."""
        turns = [_turn(turn, where) for turn in messages]
        first = next((i for i, turn in enumerate(turns) if turn["role"] == "assistant"), None)
        asked = [turn for turn in turns[:first] if turn["role"] == "user"]
        if first is None or not asked:
            raise InputError(
                f"{where}: its messages need one from the user, and one from the assistant after it"
            )
        cut = None if self.steps == "auto" else lambda text: cut_steps(text, self.steps)
        if by_turn or tools or acts(turns):
            steps = steps_of(turns[first:], cut)
        else:
            steps = tuple(
                step
                for turn in turns[first:]
                for step in cut_steps(words_of(turn), self.steps)
                if step.text.strip()
            )
        trace = bare(content_of(asked[-1]), None, steps, "chat")
        origin = replace(trace.origin, messages=tuple(turns[:first]), steps=self.steps, tools=tools)
        return replace(trace, origin=origin)


def tools_of(row: Row, where: str) -> tuple[Message, ...]:
    """What a row says of the tools that the model had."""
    if is_nothing(row.get("tools")):
        return ()
    tools = [decoded(tool) for tool in list_of(row, "tools", where)]
    if not all(isinstance(tool, Mapping) for tool in tools):
        raise InputError(f"{where}: column 'tools' must be a list of JSON objects")
    return tuple(tools)


def decoded(value: object) -> Any:
    """A JSON object, or the JSON text of one, as it stands in the cell of a table."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _gold(row: Row) -> object:
    return row.get("answer", row.get("solution"))


def _turn(turn: object, where: str) -> Message:
    turn = decoded(turn)
    if not isinstance(turn, Mapping):
        raise InputError(f"{where}: a message must be a JSON object with a role and a content")
    role = turn.get("role", turn.get("from"))
    content = turn.get("content", turn.get("value"))
    if not isinstance(role, str) or not isinstance(content, str | list | None):
        raise InputError(f"{where}: a message has no role or no text")
    if "role" in turn:
        return {**turn, "role": ROLES.get(role, role)}
    others = {name: value for name, value in turn.items() if name not in ("from", "value")}
    return {"role": ROLES.get(role, role), "content": content or "", **others}
