"""`prompt`, `completions`, `labels`: what TRL's PRMTrainer and Axolotl read.

Labels are whole numbers: 1 right, 0 wrong, -100 not trained on. The trainer puts its separator
(a newline) after every step and nothing after the prompt: so steps lose the white space they end
with, and the prompt ends with a newline. Soft values stand in a column of their own. Of agents, a
step is a turn with what tools answered, between `<tool_response>` tags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.errors import InputError, UsageError
from prmdata.exports.contract import Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.turns import with_answers
from prmdata.exports.shapes.verdicts import (
    MASKED,
    AfterError,
    Unexamined,
    biased,
    decided,
    soft_values,
    step_labels,
)
from prmdata.records import Labels, Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Stepwise:
    hub_task: ClassVar[str] = "token-classification"
    acts: ClassVar[bool] = True
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.PRM

    after_error: AfterError = "mask"
    """What the steps after the first wrong one are labelled."""
    threshold: float | None = None
    """Label a step right when its soft value is above this, instead of by the first error."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema(
            [
                ("prompt", pa.string()),
                ("completions", pa.list_(pa.string())),
                ("labels", pa.list_(pa.int64())),
                ("values", pa.list_(pa.float64())),
                ("confidence", pa.float64()),
                ("correct", pa.bool_()),
                ("examined", pa.bool_()),
                ("labelled_by", pa.string()),
                ("problem_id", pa.string()),
                ("trace_id", pa.string()),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        labels = decided(trace, self.unexamined)
        return {
            "prompt": trace.problem.question.rstrip() + "\n",
            "completions": [with_answers(step) for step in trace.steps],
            "labels": self.hard(trace, labels),
            "values": soft_values(trace),
            "confidence": labels.confidence,
            "correct": trace.correct,
            "examined": labels.examined,
            "labelled_by": labels.by,
            "problem_id": trace.problem.id,
            "trace_id": trace.id,
        }

    def hard(self, trace: Trace, labels: Labels) -> list[int]:
        if self.threshold is None:
            return step_labels(trace, labels, self.after_error)
        if self.threshold and biased(trace):
            raise InputError(
                f"trace {trace.id}: its values are hit rates of rollouts that stopped at the first "
                f"hit, which lie too high for threshold={self.threshold}; use threshold=0, or "
                "estimate again without early stopping"
            )
        values = labels.values or (None,) * len(trace.steps)
        return [MASKED if v is None else int(v > self.threshold) for v in values]

    def positive(self, row: Row) -> bool:
        return 0 not in row["labels"]

    def tally(self, row: Row, counts: Counter[str]) -> None:
        for name, label in (("right", 1), ("wrong", 0), ("masked", MASKED)):
            counts[f"steps {name}"] += row["labels"].count(label)
        counts["unexamined traces"] += not row["examined"]
