"""Conversations that teach a generative judge: its verdicts, with reasons where notes give them.

`turns`: a step, a verdict, a step, a verdict, as in RLHFlow's PRM data. `index`: the whole trace
in tagged paragraphs, answered by the boxed number of the first wrong one, as in ProcessBench.
`grounded`: turns whose verdict follows from what tools found, as in GroundedPRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import critic, grounded, training
from prmdata.exports.shapes.chat import (
    assistant,
    messages_type,
    origin,
    origin_fields,
    system,
    user,
)
from prmdata.exports.shapes.verdicts import NO_ERROR, Unexamined, decided, error_index, step_labels
from prmdata.records import Labels, Message, Trace

if TYPE_CHECKING:
    import pyarrow as pa

JOINTS = {"space": " ", "line": "\n", "paragraph": "\n\n"}


@dataclass(frozen=True, slots=True)
class Judge:
    hub_task: ClassVar[str] = "text-generation"
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    layout: Literal["turns", "index", "grounded"] = "turns"
    index_base: critic.IndexBase = 0
    """`index`: the number of the first paragraph. No error is -1 with both."""
    column: Literal["messages", "conversations", "conversation"] = "messages"
    """`conversations` is RLHFlow's own name, `conversation` GroundedPRM's."""
    join: Literal["space", "line", "paragraph"] = "space"
    """`turns` and `grounded`: the separator between the question and the first step."""
    right: str = "+"
    wrong: str = "-"
    after_error: Literal["stop", "wrong"] = "stop"
    """`turns` and `grounded`: end with the first wrong step, or call all that follow it wrong."""
    rationale: Literal["notes", "none"] = "notes"
    """Put the evidence's notes before the verdict."""
    unsettled: Literal["keep", "cut"] = "keep"
    """`grounded`: a step about which no tool and no note says anything is judged without a reason
    (keep), or the conversation ends before it (cut). A trace whose wrong step would be cut off is
    left out."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def __post_init__(self) -> None:
        if self.right == self.wrong:
            raise UsageError(f"right and wrong are both '{self.right}': nothing could be learned")

    @property
    def snippet(self) -> str:
        return training.SFT if self.column == "messages" else training.swift("sft")

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema(
            [
                (self.column, messages_type()),
                ("first_error", pa.int64()),
                ("rationale", pa.string()),
                ("examined", pa.bool_()),
                *origin_fields(),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        labels = decided(trace, self.unexamined)
        notes, source = critic.reasons(trace, labels)
        if self.rationale == "none":
            notes, source = (), "none"
        messages = self.index if self.layout == "index" else self.turns
        return {
            self.column: messages(trace, labels, notes),
            "first_error": error_index(labels),
            "rationale": source,
            "examined": labels.examined,
            **origin(trace),
        }

    def index(self, trace: Trace, labels: Labels, notes: critic.Notes) -> list[Message]:
        verdict = critic.answer(error_index(labels, self.index_base), notes, self.index_base)
        return [user(critic.task(trace, self.index_base)), assistant(verdict)]

    def turns(self, trace: Trace, labels: Labels, notes: critic.Notes) -> list[Message]:
        texts = [step.text.strip() for step in trace.steps]
        texts[0] = trace.problem.question.strip() + JOINTS[self.join] + texts[0]
        right = step_labels(trace, labels, "wrong")
        if self.after_error == "stop" and labels.first_error is not None:
            right = right[: labels.first_error + 1]
        if self.layout == "grounded" and self.unsettled == "cut":
            right = right[: self._settled(trace, labels, right, notes)]
        messages = [system(grounded.SYSTEM)] if self.layout == "grounded" else []
        for i, label in enumerate(right):
            note = notes[i] if i < len(notes) else None
            messages += [user(texts[i]), assistant(self._verdict(trace, i, label == 1, note))]
        return messages

    def _settled(
        self, trace: Trace, labels: Labels, right: Sequence[int], notes: critic.Notes
    ) -> int:
        """How many steps come before the first that nothing speaks of."""
        end = next(
            (
                step
                for step, label in enumerate(right)
                if not any(notes[step : step + 1])
                and not grounded.findings(trace, step, label == 1)
            ),
            len(right),
        )
        if end == 0 or (labels.first_error is not None and end <= labels.first_error):
            raise LeftOut("nothing speaks of its first step, or of its wrong one")
        return end

    def _verdict(self, trace: Trace, index: int, right: bool, note: str | None) -> str:
        if self.layout == "grounded":
            return grounded.verdict(trace, index, right, note)
        mark = self.right if right else self.wrong
        return f"{note.strip()}\n\n{mark}" if note else mark

    def positive(self, row: Row) -> bool:
        return bool(row["first_error"] == NO_ERROR)

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["with an error"] += row["first_error"] >= 0
        counts["with a rationale"] += row["rationale"] == "notes"
        counts["rationales dropped"] += row["rationale"] == critic.CONTRADICTS
        counts["unexamined traces"] += not row["examined"]
