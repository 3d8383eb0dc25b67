"""MR-GSM8K, MR-MATH (question, model_output_steps, model_output_solution_first_error_step): the
first wrong step by people, counted from 1; `N/A` where there is none, or nobody says which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prmdata.imports.contract import (
    Row,
    bare,
    first_error_truth,
    index_of,
    separated,
    steps_of,
    text_of,
)
from prmdata.records import Trace

NAME = "mr-gsm8k"
STEPS = "model_output_steps"
FIRST_ERROR = "model_output_solution_first_error_step"


@dataclass(frozen=True, slots=True)
class MrGsm8k:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return {STEPS, FIRST_ERROR} <= row.keys()

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        steps = steps_of(row, STEPS, where)
        value = row[FIRST_ERROR]
        nowhere = value is None or value == ""
        first = None if nowhere else index_of(value, len(steps), 1, FIRST_ERROR, where)
        answer = row.get("ground_truth_answer")
        gold = None if answer in (None, "") else str(answer)
        trace = bare(text_of(row, "question", where), gold, separated(steps, "\n"), NAME)
        ending = {"correct": True, "wrong": False}.get(
            str(row.get("model_output_answer_correctness"))
        )
        trace = replace(trace, correct=ending)
        if first is None and row.get("model_output_solution_correctness") != "correct":
            yield trace
            return
        evidence, labels = first_error_truth(NAME, first, len(steps))
        yield replace(trace, evidence=(evidence,), labels=labels)
