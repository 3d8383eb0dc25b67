"""Any rows: a question, a response or several, and where present the gold answer.

Best-of-n files (`problem`, `answer`, `completions`) are told from their columns; others are named:
`--fields question=prompt,answer=gold,response=output`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from prmdata.errors import InputError, UsageError
from prmdata.imports.contract import Row, bare
from prmdata.problems.contract import mapped
from prmdata.problems.layouts.gsm8k import final_answer
from prmdata.records import Trace
from prmdata.traces.generate import cut_steps
from prmdata.traces.steps import splitter

QUESTIONS = ("problem", "question", "prompt")
RESPONSES = ("completions", "responses", "generations", "response", "solution")


@dataclass(frozen=True, slots=True)
class Columns:
    steps: str = "auto"
    """How responses are cut into steps."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """question, response, answer, id, kind → column."""

    def __post_init__(self) -> None:
        splitter(self.steps)
        mapped({name: column for name, column in self.fields.items() if name != "response"})
        if self.fields and "response" not in self.fields:
            raise UsageError("--fields: name the column of the solutions too: response=COLUMN")

    @classmethod
    def fits(cls, row: Row) -> bool:
        return _first(row, QUESTIONS) is not None and _first(row, RESPONSES) is not None

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        fields = self.fields or _guessed(row)
        column = fields.get("response", "")
        found = row.get(column)
        responses = [found] if isinstance(found, str) else found
        if not isinstance(responses, list) or not responses:
            raise InputError(f"{where}: column '{column}' (response) is missing or no text")
        layout = mapped({name: at for name, at in fields.items() if name != "response"})
        problem = layout.problem(row, where)
        problem = replace(problem, meta={k: v for k, v in problem.meta.items() if k != column})
        if problem.answer is not None and "####" in problem.answer:
            problem = replace(problem, answer=final_answer(problem.answer))
        for number, text in enumerate(responses):
            if not isinstance(text, str) or not text.strip():
                raise InputError(f"{where}: response {number} is empty or no text")
            trace = bare(problem.question, problem.answer, cut_steps(text, self.steps), "")
            yield replace(trace, problem=problem, origin=replace(trace.origin, steps=self.steps))


def _guessed(row: Row) -> dict[str, str]:
    found = {"question": _first(row, QUESTIONS), "response": _first(row, RESPONSES)}
    found["answer"] = "answer" if found["response"] != "answer" else None
    return {name: column for name, column in found.items() if column is not None}


def _first(row: Row, columns: tuple[str, ...]) -> str | None:
    return next((column for column in columns if row.get(column)), None)
