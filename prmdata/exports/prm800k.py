"""PRM800K, phase 2: what a labeller said step by step, up to and with the first wrong one.

Each step has one completion, rated 1 or -1 (0, which readers take in different ways, is never
written); the trace as it was sampled stands whole in `question.pre_generated_steps`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.exports.contract import Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.verdicts import Unexamined, decided, step_labels
from prmdata.records import Labels, Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Prm800k:
    hub_task: ClassVar[str] = "token-classification"
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.PRM800K

    unexamined: Unexamined = "drop"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema(
            [
                ("labeler", pa.string()),
                ("timestamp", pa.string()),
                ("generation", pa.int64()),
                ("is_quality_control_question", pa.bool_()),
                ("is_initial_screening_question", pa.bool_()),
                ("question", question_type()),
                ("label", label_type()),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        labels = decided(trace, self.unexamined)
        return {
            "labeler": labels.by,
            "timestamp": None,
            "generation": None,
            "is_quality_control_question": False,
            "is_initial_screening_question": False,
            "question": question(trace),
            "label": label(trace, labels),
        }

    def positive(self, row: Row) -> bool:
        return bool(row["label"]["finish_reason"] != "found_error")

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["with an error"] += row["label"]["finish_reason"] == "found_error"
        counts["steps rated"] += len(row["label"]["steps"])


def question(trace: Trace) -> Row:
    solution = trace.problem.context.get("solution")
    return {
        "problem": trace.problem.question.strip(),
        "ground_truth_solution": solution if isinstance(solution, str) else None,
        "ground_truth_answer": trace.problem.answer,
        "pre_generated_steps": [step.text.strip() for step in trace.steps],
        "pre_generated_answer": trace.answer,
        "pre_generated_verifier_score": None,
    }


def label(trace: Trace, labels: Labels) -> Row:
    end = len(trace.steps) if labels.first_error is None else labels.first_error + 1
    ratings = [1 if right else -1 for right in step_labels(trace, labels, "wrong")[:end]]
    return {
        "steps": [
            {
                "completions": [{"text": step.text.strip(), "rating": rating, "flagged": False}],
                "human_completion": None,
                "chosen_completion": 0 if rating == 1 else None,
            }
            for step, rating in zip(trace.steps, ratings, strict=False)
        ],
        "total_time": 0,
        "finish_reason": "solution" if labels.first_error is None else "found_error",
    }


def question_type() -> pa.DataType:
    import pyarrow as pa

    return pa.struct(
        [
            ("problem", pa.string()),
            ("ground_truth_solution", pa.string()),
            ("ground_truth_answer", pa.string()),
            ("pre_generated_steps", pa.list_(pa.string())),
            ("pre_generated_answer", pa.string()),
            ("pre_generated_verifier_score", pa.float64()),
        ]
    )


def label_type() -> pa.DataType:
    import pyarrow as pa

    completion = pa.struct([("text", pa.string()), ("rating", pa.int64()), ("flagged", pa.bool_())])
    step = pa.struct(
        [
            ("completions", pa.list_(completion)),
            ("human_completion", completion),
            ("chosen_completion", pa.int64()),
        ]
    )
    return pa.struct(
        [("steps", pa.list_(step)), ("total_time", pa.int64()), ("finish_reason", pa.string())]
    )
