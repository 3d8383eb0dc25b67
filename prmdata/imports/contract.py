"""What a layout of foreign data is: a frozen dataclass that turns its rows into traces.

Ids, grades and tallies are not its business: the stage adds them. What a row says of its steps
becomes labels; where people or a benchmark judged them, it becomes `kind: truth` as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from prmdata.errors import InputError
from prmdata.files import Unreadable
from prmdata.files.nested import value_at
from prmdata.grading import extract_answer
from prmdata.records import Evidence, Labels, Origin, Problem, Step, Trace, Verdict

Row = Mapping[str, Any]


class Layout(Protocol):
    @classmethod
    def fits(cls, row: Row) -> bool:
        """Whether a row is of this layout."""
        ...

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        """The row's traces; `InputError` says what is wrong with it, and where."""
        ...


@runtime_checkable
class Whole(Protocol):
    """A layout whose traces are whole files, which it reads itself."""

    @classmethod
    def read(cls, source: str) -> Iterator[tuple[Row | Unreadable, str]]: ...


def text_of(row: Row, name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        state = "is missing" if value is None else "is empty or not text"
        raise InputError(f"{where}: column '{name}' {state}")
    return value


def list_of(row: Row, name: str, where: str) -> list[Any]:
    """A list, or the JSON text of one, as it stands in the cell of a table."""
    value = value_at(row, name)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            raise InputError(f"{where}: column '{name}' holds a list that is not JSON") from None
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"{where}: column '{name}' is missing or is not a list")
    return list(value)


def steps_of(row: Row, name: str, where: str) -> list[str]:
    """The texts of steps that came as a list; a step may be a list of texts itself, or an object
    with a text."""
    texts = [_text_of_step(step) for step in list_of(row, name, where)]
    if not texts or None in texts:
        number = texts.index(None) if texts else 0
        raise InputError(
            f"{where}: step {number + 1} of column '{name}' is missing, empty or not text"
        )
    return [text for text in texts if text is not None]


def _text_of_step(step: object) -> str | None:
    if isinstance(step, Mapping):
        step = step.get("text", step.get("content"))
    if isinstance(step, list) and all(isinstance(part, str) for part in step):
        step = " ".join(step)
    return step if isinstance(step, str) and step.strip() else None


NOWHERE = ("-1", "n/a", "none")


def index_of(value: Any, steps: int, base: int, column: str, where: str) -> int | None:
    """The place of the first wrong step, from 0; `None` where the row says that none is wrong."""
    whole = isinstance(value, float) and value.is_integer()
    text = str(int(value) if whole else value).strip()
    if value is not None and text.lower() in NOWHERE:
        return None
    if not text.isdecimal() or len(text) > 9 or not 0 <= int(text) - base < steps:
        raise InputError(
            f"{where}: {column} {value!r:.40} is not the number of a step: there are {steps}, "
            f"numbered from {base}; -1 means that none is wrong"
        )
    return int(text) - base


def bare(question: str, answer: str | None, steps: Sequence[Step], source: str) -> Trace:
    """A trace without ids, whose problem is told by its question."""
    problem = Problem(id="", question=question, answer=answer, meta={"source": source})
    messages = ({"role": "user", "content": question},)
    return Trace("", problem, tuple(steps), origin=Origin(messages=messages))


def separated(texts: Sequence[str], separator: str) -> tuple[Step, ...]:
    """Steps that came as a list: joined by what stood between them."""
    last = len(texts) - 1
    return tuple(
        Step(
            text if index == last else text.rstrip() + separator,
            "answer" if index == last and extract_answer(text) is not None else "thought",
        )
        for index, text in enumerate(texts)
    )


def first_error_truth(by: str, first: int | None, steps: int) -> tuple[Evidence, Labels]:
    """Right up to the first wrong step; nobody says anything of the steps after it."""
    verdicts: list[Verdict | None] = ["right"] * steps
    if first is not None:
        verdicts[first:] = ["wrong", *([None] * (steps - first - 1))]
    return truth(by, verdicts)


def truth(by: str, verdicts: Sequence[Verdict | None]) -> tuple[Evidence, Labels]:
    """What people said of each step, as evidence that no method sees, and as labels."""
    evidence = Evidence(name=by, kind="truth", verdicts=tuple(verdicts))
    known = {"right": 1.0, "wrong": 0.0}
    values = tuple(known.get(verdict or "") for verdict in verdicts)
    return evidence, Labels(by=by, first_error=evidence.first_wrong, values=values)
