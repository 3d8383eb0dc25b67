"""What a layout of problems is: which columns of a row become which fields of a problem."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from prmdata.errors import InputError, UsageError
from prmdata.records import Problem

FIELDS = ("question", "answer", "id", "kind", "images", "context", "meta", "solution")


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

    def fits(self, row: Mapping[str, Any]) -> bool:
        return all(column in row for column in self.columns)

    def problem(self, row: Mapping[str, Any], where: str) -> Problem:
        question = row.get(self.fields["question"])
        if not isinstance(question, str) or not question.strip():
            column = self.fields["question"]
            state = "is missing" if question is None else "is empty or not text"
            raise InputError(f"{where}: the question (column '{column}') {state}")
        answer = self._text(row, "answer", where)
        if answer is not None and self.answer is not None:
            answer = self.answer(answer)
        solution = self._text(row, "solution", where)
        meta = row.get(self.fields.get("meta", "meta"))
        context = row.get(self.fields.get("context", "context"))
        return Problem(
            id=self._text(row, "id", where) or stable_id(question, answer),
            question=question,
            answer=answer,
            kind=self._text(row, "kind", where) or "math",
            images=tuple(row.get(self.fields.get("images", ""), None) or ()),
            context={
                **(context if isinstance(context, dict) else {}),
                **({} if solution is None else {"solution": solution}),
            },
            meta=meta if isinstance(meta, dict) else self._rest(row),
        )

    def _text(self, row: Mapping[str, Any], field: str, where: str) -> str | None:
        value = row.get(self.fields.get(field, ""))
        if value is None or value == "":
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        raise InputError(f"{where}: column '{self.fields[field]}' ({field}) is not text: {value!r}")

    def _rest(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Small columns that say what kind of problem it is."""
        used = set(self.fields.values())
        return {
            name: value
            for name, value in row.items()
            if name not in used and isinstance(value, str | int | float) and len(str(value)) <= 100
        }


def mapped(fields: Mapping[str, str]) -> Layout:
    """A layout of the user's own: `question=prompt,answer=gold`."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise UsageError(
            f"--fields: {', '.join(sorted(unknown))} is no field of a problem "
            f"(they are {', '.join(FIELDS)})"
        )
    return Layout(columns=(), fields={"question": "question", **fields})


def stable_id(question: str, answer: str | None) -> str:
    said = msgspec.json.encode([question, answer])
    return hashlib.blake2b(said, digest_size=8).hexdigest()
