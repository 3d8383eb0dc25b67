"""Any rows (problem, question or prompt; completions, response, …; answer): solutions as texts, or
as lists of steps, where present with the first wrong one.

Other columns are named: `--fields question=prompt,answer=gold,response=output`, or
`--fields question=q,steps=s,first_error=e`. A first wrong step is truth: it serves `score`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from prmdata.errors import InputError, UsageError, unknown
from prmdata.files.nested import value_at
from prmdata.imports.contract import (
    Row,
    bare,
    first_error_truth,
    index_of,
    separated,
    steps_of,
)
from prmdata.problems.contract import FIELDS, Layout, is_nothing, mapped
from prmdata.problems.layouts.gsm8k import final_answer
from prmdata.records import Message, Problem, Step, Trace
from prmdata.traces.generate import cut_steps
from prmdata.traces.steps import splitter

QUESTIONS = ("problem", "question", "prompt")
RESPONSES = (
    "completions", "responses", "generations", "response", "completion", "output", "solution",
)  # fmt: skip
SOLUTION_FIELDS = ("response", "steps", "first_error", "correct")
NAME = "columns"


@dataclass(frozen=True, slots=True)
class Columns:
    steps: str = "auto"
    """How responses are cut into steps."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """question, answer, id, kind, and response, steps, first_error, correct → column."""
    first_error_base: Literal[0, 1] = 0
    """The number that `first_error` has for the first step; -1 or N/A is no wrong step."""
    first_error_empty: Literal["unknown", "none"] = "unknown"
    """What an empty `first_error` means: nobody judged the steps, or none is wrong."""

    def __post_init__(self) -> None:
        splitter(self.steps)
        for name in self.fields:
            if name not in (*FIELDS, *SOLUTION_FIELDS):
                raise unknown("field", name, (*FIELDS, *SOLUTION_FIELDS))
        if self.fields and not {"response", "steps"} & self.fields.keys():
            raise UsageError(
                "--fields: name the column of the solutions too: response=COLUMN for texts, "
                "steps=COLUMN for lists of steps"
            )

    @classmethod
    def fits(cls, row: Row) -> bool:
        return _first(row, QUESTIONS) is not None and _first(row, RESPONSES) is not None

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        fields = dict(self.fields) or _guessed(row)
        layout = mapped({name: at for name, at in fields.items() if name in FIELDS})
        problem = _problem(layout, row, fields, where)
        for steps in self._solutions(row, fields, where):
            trace = bare(problem.question, problem.answer, steps, "")
            trace = replace(
                trace,
                id=layout.id_of(row, where) or "",
                problem=replace(problem, id=""),
                correct=_correct(row, fields, where),
                origin=replace(trace.origin, messages=_prompt(problem), steps=self.steps),
            )
            yield self._with_truth(trace, row, fields, where)

    def _solutions(
        self, row: Row, fields: Mapping[str, str], where: str
    ) -> Iterator[tuple[Step, ...]]:
        if "steps" in fields:
            yield separated(steps_of(row, fields["steps"], where), "\n")
            return
        column = fields.get("response", "")
        found = value_at(row, column)
        responses = [found] if isinstance(found, str) else _texts(found)
        if not isinstance(responses, list) or not responses:
            raise InputError(f"{where}: column '{column}' (response) is missing or is not text")
        for number, text in enumerate(responses):
            if not isinstance(text, str) or not text.strip():
                raise InputError(f"{where}: response {number + 1} is empty or not text")
            yield cut_steps(text, self.steps)

    def _with_truth(self, trace: Trace, row: Row, fields: Mapping[str, str], where: str) -> Trace:
        if "first_error" not in fields:
            return trace
        column, steps = fields["first_error"], len(trace.steps)
        value = value_at(row, column)
        if is_nothing(value) and self.first_error_empty == "unknown":
            return trace
        first = (
            None
            if is_nothing(value)
            else index_of(value, steps, self.first_error_base, column, where)
        )
        evidence, labels = first_error_truth(NAME, first, steps)
        return replace(trace, evidence=(evidence,), labels=labels)


def _problem(layout: Layout, row: Row, fields: Mapping[str, str], where: str) -> Problem:
    """Of columns that hold solutions, nothing goes into the problem's meta."""
    used = {fields[name] for name in SOLUTION_FIELDS if name in fields}
    problem = layout.problem(row, where)
    problem = replace(problem, meta={k: v for k, v in problem.meta.items() if k not in used})
    if problem.answer is not None and "####" in problem.answer:
        problem = replace(problem, answer=final_answer(problem.answer))
    return problem


def _texts(found: object) -> object:
    """Of one assistant's message, its text; anything else as it is."""
    match found:
        case [{"role": "assistant", "content": str(text)}]:
            return [text]
    return found


def _prompt(problem: Problem) -> tuple[Message, ...]:
    system = problem.context.get("system")
    first = [{"role": "system", "content": str(system)}] if system else []
    return (*first, {"role": "user", "content": problem.question})


ENDINGS = {"true": True, "correct": True, "right": True, "1": True} | {
    "false": False, "wrong": False, "incorrect": False, "0": False
}  # fmt: skip


def _correct(row: Row, fields: Mapping[str, str], where: str) -> bool | None:
    """Whether the source says that the final answer is right; else the grader does."""
    value = value_at(row, fields["correct"]) if "correct" in fields else None
    if is_nothing(value):
        return None
    if str(value).strip().lower() not in ENDINGS:
        column = fields["correct"]
        raise InputError(
            f"{where}: column '{column}' (correct) is neither true nor false: {value!r:.40}"
        )
    return ENDINGS[str(value).strip().lower()]


def _guessed(row: Row) -> dict[str, str]:
    found = {"question": _first(row, QUESTIONS), "response": _first(row, RESPONSES)}
    found["answer"] = "answer" if found["response"] != "answer" else None
    return {name: column for name, column in found.items() if column is not None}


def _first(row: Row, columns: tuple[str, ...]) -> str | None:
    return next((column for column in columns if row.get(column)), None)
