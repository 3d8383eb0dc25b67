"""What a layout of problems is: which columns of a row become which fields of a problem.

A column may be a dotted path into nested rows. The question may be a list of messages: a user's,
and before it a system message, which goes into the problem's context.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from prmdata.errors import InputError, unknown
from prmdata.files.nested import value_at
from prmdata.records import Problem

FIELDS = ("question", "answer", "answers", "id", "kind", "images", "context", "meta", "solution")
IDS = ("id", "unique_id", "uuid", "problem_id", "question_id", "task_id")
"""Where ids are looked for, unless the user names the column."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one set become problems."""

    columns: tuple[str, ...]
    """A row that has all of these is taken to be of this layout."""
    fields: Mapping[str, str]
    """Problem field → column."""
    answer: Callable[[str], str | None] | None = None
    """Takes the gold answer out of its column."""
    help: str = ""
    ids: tuple[str, ...] = IDS
    """Columns that may hold the id, where `fields` names none."""

    def fits(self, row: Mapping[str, object]) -> bool:
        return all(column in row for column in self.columns)

    def problem(self, row: Mapping[str, object], where: str) -> Problem:
        question, system = self._question(row, where)
        answer, *further = self._answers(row, where) or (None,)
        solution = self._text(row, "solution", where)
        meta, context = self._value(row, "meta"), self._value(row, "context")
        return Problem(
            id=self.id_of(row, where) or stable_id(question, answer),
            question=question,
            answer=answer,
            kind=self._text(row, "kind", where) or "math",
            images=tuple(self._value(row, "images") or ()),
            context={
                **(context if isinstance(context, dict) else {}),
                **({} if solution is None else {"solution": solution}),
                **({} if system is None else {"system": system}),
            },
            meta=meta if isinstance(meta, dict) else self._rest(row),
            answers=tuple(gold for gold in further if gold is not None),
        )

    def _answers(self, row: Mapping[str, object], where: str) -> tuple[str | None, ...]:
        """The gold answer and, where columns hold lists, further ones that are right too."""
        found: list[str | None] = []
        for field in ("answer", "answers"):
            column = self.fields.get(field)
            value = value_at(row, column) if column else None
            for one in value if isinstance(value, list) else [value]:
                text = _text_of(one, column or field, field, where)
                if text is not None:
                    found.append(self.answer(text) if self.answer is not None else text)
        return tuple(dict.fromkeys(found))

    def id_of(self, row: Mapping[str, object], where: str) -> str | None:
        """The source's own id; `None` where it has none."""
        columns = (self.fields["id"],) if "id" in self.fields else self.ids
        found = (_text_of(value_at(row, column), column, "id", where) for column in columns)
        return next((text for text in found if text is not None), None)

    def _value(self, row: Mapping[str, object], field: str) -> Any:
        return value_at(row, self.fields.get(field, field))

    def _question(self, row: Mapping[str, object], where: str) -> tuple[str, str | None]:
        column = self.fields["question"]
        question, system = value_at(row, column), None
        if isinstance(question, list) and question:
            system, question = _turns(question, column, where)
        if not isinstance(question, str) or not question.strip():
            state = "is missing" if question is None else "is empty or not text"
            raise InputError(f"{where}: the question (column '{column}') {state}")
        return question, system

    def _text(self, row: Mapping[str, object], field: str, where: str) -> str | None:
        column = self.fields.get(field, "")
        return _text_of(value_at(row, column), column, field, where) if column else None

    def _rest(self, row: Mapping[str, object]) -> dict[str, object]:
        """Small columns that say what kind of problem it is."""
        used = {*self.fields.values(), *self.ids}
        return {
            name: value
            for name, value in row.items()
            if name not in used
            and isinstance(value, str | int | float)
            and not is_nothing(value)
            and len(str(value)) <= 100
        }


def _text_of(value: object, column: str, field: str, where: str) -> str | None:
    if is_nothing(value):
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"{where}: column '{column}' ({field}) is not text: {value!r:.80}")


def is_nothing(value: object) -> bool:
    """An empty cell: other programs write NaN where a column of numbers has a gap."""
    return value is None or value == "" or (isinstance(value, float) and not math.isfinite(value))


def _turns(turns: list[Any], column: str, where: str) -> tuple[str | None, object]:
    """The system message, where there is one, and the user's."""
    roles = [turn.get("role") if isinstance(turn, Mapping) else None for turn in turns]
    if roles not in (["user"], ["system", "user"]):
        given = ", ".join(str(role) for role in roles[:6])
        raise InputError(
            f"{where}: the question (column '{column}') should be text, or one user's message with "
            f"or without a system message before it; its messages are: {given}"
        )
    return (turns[0].get("content") if len(turns) > 1 else None), turns[-1].get("content")


def mapped(fields: Mapping[str, str]) -> Layout:
    """The layout that the user describes: `question=prompt,answer=gold`."""
    for name in fields:
        if name not in FIELDS:
            raise unknown("field of a problem", name, FIELDS)
    return Layout(columns=(), fields={"question": "question", **fields})


def stable_id(question: str, answer: str | None) -> str:
    text = msgspec.json.encode([question, answer])
    return hashlib.blake2b(text, digest_size=8).hexdigest()
