"""MATH and MATH-500: `problem`, `solution`, and the answer as a column or in the last box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from prmdata.grading import extract_answer
from prmdata.problems.contract import Layout
from prmdata.records import Problem


class _Layout(Layout):
    def problem(self, row: Mapping[str, object], where: str) -> Problem:
        problem = Layout.problem(self, row, where)
        if problem.answer is None and "solution" in problem.context:
            problem = replace(problem, answer=extract_answer(problem.context["solution"]))
        return problem


LAYOUT = _Layout(
    columns=("problem", "solution", "level"),
    fields={
        "question": "problem",
        "answer": "answer",
        "solution": "solution",
    },
    help="problem, solution, level; answer or the last \\boxed{}",
)
