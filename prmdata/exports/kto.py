"""Single answers, liked or not, for KTO: a whole trace and whether its answer is right.

There is no such row for a step: nothing on the other side would cancel the prefix, and a wrong
step would cost the right ones before it. Use `pairs` for steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import llamafactory, training
from prmdata.exports.shapes.chat import (
    Prompt,
    assistant,
    messages_type,
    origin,
    origin_fields,
    pass_rate_fields,
    pass_rate_of,
    prompt_messages,
)
from prmdata.exports.shapes.turns import tools_of, turn, turns_of, turns_type
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Kto:
    hub_task: ClassVar[str] = "reinforcement-learning"
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False
    layout: Literal["trl", "ms-swift", "llamafactory", "tools"] = "trl"
    """`tools`: TRL's, for agents: messages with calls and results, and the tools beside."""
    prompt: Prompt = "question"
    """`sampled`: with the system message, examples and instruction it was sampled with."""
    pass_rate: bool = False
    """A `pass_rate` column: the share of the problem's graded traces that were right."""

    @property
    def acts(self) -> bool:
        return self.layout == "tools"

    @property
    def verdict(self) -> str:
        return "kto_tag" if self.layout == "llamafactory" else "label"

    @property
    def snippet(self) -> str:
        return {
            "trl": training.trl("KTOTrainer"),
            "ms-swift": training.swift("kto"),
            "llamafactory": training.llamafactory("kto"),
            "tools": training.trl("KTOTrainer"),
        }[self.layout]

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        columns = {
            "trl": [("prompt", messages_type()), ("completion", messages_type())],
            "ms-swift": [("messages", messages_type())],
            "llamafactory": [("conversations", pa.list_(llamafactory.turn_type()))],
            "tools": [
                *((name, turns_type()) for name in ("prompt", "completion")),
                ("tools", pa.string()),
            ],
        }[self.layout]
        return pa.schema(
            [
                *columns,
                (self.verdict, pa.bool_()),
                *origin_fields(),
                *pass_rate_fields(self.pass_rate),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        if trace.error is None and trace.correct is None and trace.grade == "unparsed":
            raise LeftOut("the answer could not be read")
        if trace.error is not None or trace.correct is None or not trace.text.strip():
            raise LeftOut("nobody knows whether the answer is right")
        if trace.correct and trace.labels and trace.labels.first_error is not None:
            raise LeftOut("a right answer on a wrong step")
        question = prompt_messages(trace, self.prompt)
        answer = assistant(trace.text.rstrip())
        columns: dict[str, Row] = {
            "trl": {"prompt": question, "completion": [answer]},
            "ms-swift": {"messages": [*question, answer]},
            "llamafactory": {"conversations": list(map(llamafactory.turn, (*question, answer)))},
            "tools": {
                "prompt": list(map(turn, question)),
                "completion": list(map(turn, turns_of(trace))),
                "tools": tools_of(trace),
            },
        }
        return {
            **columns[self.layout],
            self.verdict: trace.correct,
            **origin(trace),
            **pass_rate_of(trace, self.pass_rate),
        }

    def beside(self) -> Mapping[str, str]:
        if self.layout != "llamafactory":
            return {}
        return llamafactory.dataset_info({"messages": "conversations", "kto_tag": "kto_tag"})

    def positive(self, row: Row) -> bool:
        return bool(row[self.verdict])

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["right"] += row[self.verdict]
        counts["wrong"] += not row[self.verdict]
