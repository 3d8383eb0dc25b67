"""What a layout of foreign data is: a frozen dataclass that turns its rows into traces.

Ids, grades and tallies are not its business: the stage adds them. What a row says of its steps
becomes labels; where people, or a benchmark, said it, it is also `kind: truth`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from prmdata.errors import InputError
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


def text_of(row: Row, name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        state = "is missing" if value is None else "is empty or not text"
        raise InputError(f"{where}: column '{name}' {state}")
    return value


def list_of(row: Row, name: str, where: str) -> list[Any]:
    value = row.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"{where}: column '{name}' is missing or no list")
    return list(value)


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


def truth(by: str, verdicts: Sequence[Verdict | None]) -> tuple[Evidence, Labels]:
    """What people said of each step, as evidence that no method sees, and as labels."""
    evidence = Evidence(name=by, kind="truth", verdicts=tuple(verdicts))
    known = {"right": 1.0, "wrong": 0.0}
    values = tuple(known.get(verdict or "") for verdict in verdicts)
    return evidence, Labels(by=by, first_error=evidence.first_wrong, values=values)
