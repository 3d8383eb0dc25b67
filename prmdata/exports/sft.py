"""Right traces to imitate, or what is right of wrong ones.

`right`: whole traces with a right answer on which no step is labelled wrong. `prefix`: the steps
before the first wrong one, as plain text. A trainer ends every row with its end-of-text token,
which after a prefix would teach to stop in the middle: train those with that switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import llamafactory
from prmdata.exports.shapes.chat import (
    Prompt,
    assistant,
    messages_type,
    origin,
    origin_fields,
    plain,
    prompt_messages,
)
from prmdata.exports.shapes.verdicts import Unexamined, decided
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Sft:
    kind: Literal["right", "prefix"] = "right"
    layout: Literal["auto", "messages", "prompt", "text", "llamafactory"] = "auto"
    """`auto`: `messages` for whole traces, `prompt` (prompt and completion) for prefixes."""
    prompt: Prompt = "question"
    """`sampled`: with the system message, examples and instruction it was sampled with."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def __post_init__(self) -> None:
        if self.kind == "prefix" and self.layout in ("messages", "llamafactory"):
            raise UsageError(
                "a prefix as a message would be ended by the chat template, and teach to stop in "
                "the middle; use layout=prompt or layout=text"
            )

    @property
    def labelled(self) -> bool:
        return self.kind == "prefix"

    @property
    def grouped(self) -> bool:
        return False

    @property
    def columns(self) -> str:
        if self.layout != "auto":
            return self.layout
        return "messages" if self.kind == "right" else "prompt"

    def schema(self) -> Any:
        import pyarrow as pa

        text = pa.string()
        columns = {
            "messages": [("messages", messages_type())],
            "prompt": [("prompt", text), ("completion", text)],
            "text": [("text", text)],
            "llamafactory": [("conversations", pa.list_(llamafactory.turn_type()))],
        }[self.columns]
        return pa.schema([*columns, ("steps", pa.int64()), *origin_fields()])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        steps = self.steps(trace)
        question = prompt_messages(trace, self.prompt)
        answer = trace.prefix(steps) if self.kind == "prefix" else trace.text.rstrip()
        conversation = [*question, assistant(answer)]
        columns: dict[str, Row] = {
            "messages": {"messages": conversation},
            "prompt": {"prompt": f"{plain(question)}\n", "completion": answer},
            "text": {"text": f"{plain(question)}\n{answer}"},
            "llamafactory": {"conversations": list(map(llamafactory.turn, conversation))},
        }
        return {**columns[self.columns], "steps": steps, **origin(trace)}

    def beside(self) -> Mapping[str, str]:
        if self.layout != "llamafactory":
            return {}
        return llamafactory.dataset_info({"messages": "conversations"})

    def steps(self, trace: Trace) -> int:
        """How many of the trace's steps are worth imitating."""
        if self.kind == "right":
            if trace.correct is not True or trace.error is not None or not trace.text.strip():
                raise LeftOut("not a right answer")
            labels = decided(trace, self.unexamined) if trace.labels else None
            if labels is not None and labels.first_error is not None:
                raise LeftOut("a right answer on a wrong step")
            return len(trace.steps)
        first = decided(trace, self.unexamined).first_error
        if first == 0:
            raise LeftOut("the first step is wrong")
        return len(trace.steps) if first is None else first

    def tally(self, row: Row, counts: Counter[str]) -> None:
        if self.kind == "prefix":
            counts["to train without an end-of-text token"] += 1
        counts["steps"] += row["steps"]
