"""Math-Shepherd's text: every step ends in `ки`, and `+` or `-` stands there in its label.

The same rows carry OpenRLHF's `value` column: one `+` or `-` a step. A reader finds the steps by
the mark, so a trace that holds it already is left out. Nothing in this layout masks a step.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.chat import origin, origin_fields
from prmdata.exports.shapes.verdicts import Unexamined, decided, step_labels
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa

MARK = "ки"
NUMBERED = re.compile(r"Step \d+:")


@dataclass(frozen=True, slots=True)
class MathShepherd:
    hub_task: ClassVar[str] = "token-classification"
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.OPENRLHF

    after_error: Literal["stop", "wrong"] = "wrong"
    """End with the first wrong step, or call all that follow it wrong, as Math-Shepherd does."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text = [(name, pa.string()) for name in ("input", "label", "task")]
        return pa.schema([*text, ("value", pa.list_(pa.string())), *origin_fields()])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        labels = decided(trace, self.unexamined)
        question = trace.problem.question.strip()
        if MARK in question + trace.text:
            raise LeftOut(f"holds {MARK}, the mark that ends a step")
        if NUMBERED.search(question):
            raise LeftOut("the question holds the words that begin a step")
        marks = ["+" if label else "-" for label in step_labels(trace, labels, "wrong")]
        if self.after_error == "stop" and labels.first_error is not None:
            marks = marks[: labels.first_error + 1]
        steps = [numbered(n, step.text) for n, step in enumerate(trace.steps[: len(marks)], 1)]
        return {
            "input": f"{question} " + "\n".join(f"{step} {MARK}" for step in steps),
            "label": f"{question} " + "\n".join(map(" ".join, zip(steps, marks, strict=True))),
            "task": str(trace.problem.meta.get("source") or "prmdata"),
            "value": marks,
            **origin(trace),
        }

    def positive(self, row: Row) -> bool:
        return "-" not in row["value"]

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["steps right"] += row["value"].count("+")
        counts["steps wrong"] += row["value"].count("-")


def numbered(number: int, step: str) -> str:
    """The step with its number, unless it says its number itself."""
    step = step.strip()
    lead = f"Step {number}:"
    return step if step.startswith(lead) else f"{lead} {step}"
