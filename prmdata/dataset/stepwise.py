"""`prompt`, `completions`, `labels`: what TRL's PRMTrainer and Axolotl read.

Labels are whole numbers: 1 right, 0 wrong, -100 not trained on. The trainer puts its separator
(a newline) after every step and nothing after the prompt: so steps lose the white space they end
with, and the prompt ends with a newline. Soft values stand in a column of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from prmdata.errors import UsageError
from prmdata.records import Labels, Trace

MASKED = -100


@dataclass(frozen=True, slots=True)
class Stepwise:
    labelled: ClassVar[bool] = True

    after_error: Literal["mask", "wrong"] = "mask"
    """What the steps after the first wrong one are labelled."""
    threshold: float | None = None
    """Label a step right when its soft value is above this, instead of by the first error."""
    unexamined: Literal["keep", "drop"] = "keep"
    """Traces with a right answer whose steps nobody looked into."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}: must be at least 0 and below 1")

    def schema(self) -> Any:
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

    def rows(self, trace: Trace) -> Iterator[dict[str, Any]]:
        labels = trace.labels
        if labels is None or not trace.steps:
            return
        if not labels.examined and self.unexamined == "drop":
            return
        yield {
            "prompt": trace.problem.question.rstrip() + "\n",
            "completions": [step.text.rstrip() for step in trace.steps],
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
        if self.threshold is not None:
            values = labels.values or (None,) * len(trace.steps)
            return [MASKED if v is None else int(v > self.threshold) for v in values]
        if labels.first_error is None:
            return [1] * len(trace.steps)
        after = MASKED if self.after_error == "mask" else 0
        left = len(trace.steps) - labels.first_error - 1
        return [1] * labels.first_error + [0] + [after] * left

    def tally(self, trace: Trace, counts: dict[str, int]) -> None:
        for row in self.rows(trace):
            for name, label in (("right", 1), ("wrong", 0), ("masked", MASKED)):
                counts[f"steps {name}"] = counts.get(f"steps {name}", 0) + row["labels"].count(
                    label
                )
            counts["unexamined traces"] = counts.get("unexamined traces", 0) + (not row["examined"])


def soft_values(trace: Trace) -> list[float | None] | None:
    """The labels' values, save where early stopping has biased the counts behind them."""
    labels = trace.labels
    if labels is None or not labels.values:
        return None
    source = trace.evidence_named(str(labels.settings.get("evidence", labels.by)))
    biased = source is not None and source.stopping == "first-hit" and labels.by == "threshold"
    return None if biased else list(labels.values)
