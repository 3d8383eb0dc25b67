"""Chats (messages or conversations; answer or solution) that end in the assistant's solution.

What a model thought (`reasoning_content`, `thinking`) goes before its words as `<think>…</think>`,
where its words do not hold it already. Calls of tools, and what they gave back, are steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prmdata.errors import InputError, unknown
from prmdata.files.nested import value_at
from prmdata.imports.contract import Row, bare, list_of
from prmdata.problems.contract import is_nothing
from prmdata.records import Step, Trace
from prmdata.traces.generate import cut_steps
from prmdata.traces.steps import splitter

FIELDS = ("messages", "answer", "id")
ROLES = {"human": "user", "gpt": "assistant", "function": "tool", "observation": "tool"}
THOUGHTS = ("reasoning_content", "thinking", "reasoning")


@dataclass(frozen=True, slots=True)
class Chat:
    steps: str = "auto"
    """How turns are cut into steps."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """messages, answer, id → column."""

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
        turns = [_turn(turn, where) for turn in list_of(row, name, where)]
        first = next((i for i, turn in enumerate(turns) if turn["role"] == "assistant"), None)
        if first is None or not any(turn["role"] == "user" for turn in turns[:first]):
            raise InputError(
                f"{where}: its messages need one from the user, and one from the assistant after it"
            )
        if any(turn["role"] == "user" for turn in turns[first:]):
            raise InputError(
                f"{where}: the user speaks again after the assistant; only chats with one "
                "question are read"
            )
        prompt = [{"role": t["role"], "content": t["content"]} for t in turns[:first]]
        steps = tuple(step for turn in turns[first:] for step in self._steps(turn))
        answer = value_at(row, self.fields["answer"]) if "answer" in self.fields else _gold(row)
        question = next(t["content"] for t in reversed(prompt) if t["role"] == "user")
        trace = bare(question, None if is_nothing(answer) else str(answer), steps, "chat")
        origin = replace(trace.origin, messages=tuple(prompt), steps=self.steps)
        own = value_at(row, self.fields["id"]) if "id" in self.fields else None
        yield replace(trace, id="" if is_nothing(own) else str(own), origin=origin)

    def _steps(self, turn: Mapping[str, Any]) -> Iterator[Step]:
        if turn["role"] == "tool":
            yield Step(turn["content"], "observation", result=turn["content"])
            return
        text = turn["content"]
        thought = next((turn[name] for name in THOUGHTS if turn.get(name)), None)
        if thought and "<think>" not in text:
            text = f"<think>\n{thought}\n</think>\n\n{text}"
        if text.strip():
            yield from cut_steps(text, self.steps)
        for call in turn.get("tool_calls") or []:
            function = call.get("function") or call
            yield Step(json.dumps(function, ensure_ascii=False), "tool_call", tool=dict(function))


def _gold(row: Row) -> Any:
    return row.get("answer", row.get("solution"))


def _turn(turn: Any, where: str) -> dict[str, Any]:
    if not isinstance(turn, Mapping):
        raise InputError(f"{where}: a message must be a JSON object with a role and a content")
    role = turn.get("role", turn.get("from"))
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    if not isinstance(role, str) or not isinstance(content, str | None):
        raise InputError(f"{where}: a message has no role or no text")
    return {**turn, "role": ROLES.get(role, role), "content": content or ""}
