"""A row of messages → the steps that judgements name by the number of a message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, list_of
from prmdata.records import Step


@dataclass(frozen=True, slots=True)
class Turns:
    question: str
    messages: Sequence[Mapping[str, Any]]

    def step(self, key: str, where: str) -> Step:
        """The assistant's message of that number, with what its call gave back."""
        number = int(key) if key.isdecimal() else -1
        if not 0 <= number < len(self.messages):
            raise InputError(f"{where}: the messages hold no number {key}")
        turn = self.messages[number]
        calls = turn.get("tool_calls") or []
        text = _words(turn) + "".join(_call(call) for call in calls)
        if not calls:
            return Step(text)
        after = self.messages[number + 1 : number + 1 + len(calls)]
        results = "\n".join(_words(turn) for turn in after if turn.get("role") == "tool")
        function = calls[0].get("function") or calls[0]
        return Step(text, "tool_call", tool=dict(function), result=results or None)


def turns_of(row: Row, where: str) -> Turns:
    messages = list_of(row, "messages", where)
    if not all(isinstance(turn, Mapping) for turn in messages):
        raise InputError(f"{where}: a message must be a JSON object with a role and a content")
    user = next((_words(turn) for turn in messages if turn.get("role") == "user"), "")
    return Turns(str(row.get("question") or user or known_by(row)), messages)


def known_by(row: Row) -> str:
    """The id that judgements know a row of messages by."""
    if row.get("id") is not None:
        return str(row["id"])
    source = row.get("data_source", row.get("dataset", ""))
    return f"{source}:{row.get('query_index', '')}:{row.get('sample_index', '')}"


def _words(turn: Mapping[str, object]) -> str:
    content = turn.get("content")
    return content if isinstance(content, str) else ""


def _call(call: Mapping[str, object]) -> str:
    return json.dumps(call.get("function") or call, ensure_ascii=False)
