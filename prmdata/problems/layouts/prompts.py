"""Prompts for reinforcement learning: a text, or a list of messages, and an answer to check.

verl keeps the answer in `reward_model.ground_truth`, TRL and ms-swift in a column of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from prmdata.grading import extract_answer
from prmdata.problems.contract import Layout
from prmdata.records import Problem

QUESTIONS = ("prompt", "messages")
ANSWERS = ("solution", "answer", "ground_truth")


@dataclass(frozen=True, slots=True)
class _Layout(Layout):
    def fits(self, row: Mapping[str, object]) -> bool:
        return _first(row, QUESTIONS) is not None and _first(row, ANSWERS) is not None

    def problem(self, row: Mapping[str, object], where: str) -> Problem:
        question, answer = _first(row, QUESTIONS) or "prompt", _first(row, ANSWERS) or "answer"
        fields = {"question": question, "answer": answer}
        return Layout.problem(replace(self, fields=fields), row, where)


def _first(row: Mapping[str, object], columns: tuple[str, ...]) -> str | None:
    return next((column for column in columns if row.get(column) is not None), None)


def _unboxed(answer: str) -> str:
    return extract_answer(answer) or answer if "\\boxed" in answer else answer


VERL = Layout(
    columns=("prompt", "reward_model"),
    fields={"question": "prompt", "answer": "reward_model.ground_truth"},
    answer=_unboxed,
    ids=("extra_info.problem_id", "id", "uid"),
    help="prompt (text or messages), reward_model.ground_truth",
)
TRL = _Layout(
    columns=QUESTIONS[:1],
    fields={"question": "prompt", "answer": "solution"},
    answer=_unboxed,
    help="prompt or messages (text or messages), solution, answer or ground_truth",
)
