"""ProcessBench rows: a trace's steps and the first wrong one, from 0; -1 where there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.verdicts import NO_ERROR, Unexamined, decided, error_index
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Processbench:
    hub_task: ClassVar[str] = "text-classification"
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.PROCESSBENCH

    unexamined: Unexamined = "drop"
    """Keep or drop right answers that were taken at their word: a benchmark cannot rest on them."""

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema(
            [
                ("id", pa.string()),
                ("generator", pa.string()),
                ("problem", pa.string()),
                ("steps", pa.list_(pa.string())),
                ("final_answer_correct", pa.bool_()),
                ("label", pa.int64()),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        labels = decided(trace, self.unexamined)
        if trace.correct is None:
            raise LeftOut("nobody knows whether the answer is right")
        return {
            "id": trace.id,
            "generator": trace.origin.model or "",
            "problem": trace.problem.question.strip(),
            "steps": [step.text.strip() for step in trace.steps],
            "final_answer_correct": trace.correct,
            "label": error_index(labels),
        }

    def positive(self, row: Row) -> bool:
        return bool(row["label"] == NO_ERROR)

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["with an error"] += row["label"] >= 0
        counts["right answers with an error"] += row["label"] >= 0 and row["final_answer_correct"]
