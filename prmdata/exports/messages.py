"""Chats as they were: messages and tools, with labels by message (`step_labels`: 1, 0, -1).

What people or a method say of each turn of the assistant goes back into the layout that the chat
came from. A trace that is one text becomes a chat of one turn, without labels of its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import msgspec

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.chat import origin, origin_fields
from prmdata.records import Trace
from prmdata.turns import chat_of, closing_messages

if TYPE_CHECKING:
    import pyarrow as pa

AS_JSON = ("messages", "tools", "step_labels", "ground_truth")


@dataclass(frozen=True, slots=True)
class Messages:
    """In Parquet the columns messages, tools, step_labels and ground_truth are JSON text."""

    acts: ClassVar[bool] = True
    hub_task: ClassVar[str] = "text-generation"
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.AGAIN

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text = pa.string()
        return pa.schema(
            [
                ("question", text),
                *((name, text) for name in AS_JSON),
                ("answer_text", text),
                ("final_label", pa.int64()),
                *origin_fields(),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        if trace.error is not None:
            raise LeftOut("failed")
        if not trace.steps:
            raise LeftOut("no steps")
        columns = {
            "messages": chat_of(trace),
            "tools": list(trace.origin.tools),
            "step_labels": step_labels(trace),
            "ground_truth": {"target": list(trace.problem.golds)},
        }
        return {
            "question": trace.problem.question,
            **{name: msgspec.json.encode(value).decode() for name, value in columns.items()},
            "answer_text": trace.answer,
            "final_label": {True: 1, False: -1, None: None}[trace.correct],
            **origin(trace),
        }

    def line(self, row: Row) -> Row:
        return {**row, **{name: msgspec.json.decode(row[name]) for name in AS_JSON}}

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["with labels"] += row["step_labels"] != "{}"


def ratings(trace: Trace) -> list[int | None]:
    """For each step 1, 0 or -1: as people gave them, else as the labels' values say."""
    labels = trace.labels
    if labels is None or not labels.examined:
        return [None] * len(trace.steps)
    behind = trace.evidence_named(labels.by)
    if behind is not None and behind.kind == "truth" and behind.rewards:
        return [None if reward is None else int(reward) for reward in behind.rewards]
    if labels.undecided:
        return [None] * len(trace.steps)
    return [_rating(labels.first_error, step, len(trace.steps)) for step in range(len(trace.steps))]


def _rating(first_error: int | None, step: int, steps: int) -> int | None:
    """Nothing is said of steps after the first wrong one."""
    first = steps if first_error is None else first_error
    return 1 if step < first else -1 if step == first else None


def step_labels(trace: Trace) -> dict[str, int]:
    """Message number → rating. A turn that was cut finer is as wrong as its worst piece."""
    said, found, begin = ratings(trace), {}, 0
    for step, place in closing_messages(trace):
        pieces = [rating for rating in said[begin : step + 1] if rating is not None]
        if pieces:
            found[str(place)] = min(pieces)
        begin = step + 1
    return found
