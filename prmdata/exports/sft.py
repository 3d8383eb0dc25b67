"""Right traces to imitate, or what is right of wrong ones.

`right`: whole traces with a right answer on which no step is labelled wrong; `repaired`: of these,
the ones that `prmdata repair` wrote; `any`: whole traces, whatever their answer, to be selected
with `--max-step-error`. `prefix`: the steps before the first wrong one, as plain text;
`intervention`: these, and the step that `prmdata intervene` put in its place. A trainer ends every
row with its end-of-text token, which after a prefix or an intervention would teach to stop in the
middle: train those with that switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import llamafactory, training
from prmdata.exports.shapes.chat import (
    Prompt,
    assistant,
    messages_type,
    origin,
    origin_fields,
    plain,
    prompt_messages,
)
from prmdata.exports.shapes.turns import tools_of, turn, turns_of, turns_type
from prmdata.exports.shapes.verdicts import Unexamined, decided
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa

MADE_BY = {"repaired": "repair", "intervention": "intervene"}


@dataclass(frozen=True, slots=True)
class Sft:
    hub_task: ClassVar[str] = "text-generation"
    kind: Literal["right", "any", "prefix", "repaired", "intervention"] = "right"
    layout: Literal["auto", "messages", "prompt", "text", "llamafactory", "tools"] = "auto"
    """`auto`: `messages` for whole traces, `prompt` (prompt and completion) for prefixes; `tools`:
    messages with calls and results, and the tools beside."""
    prompt: Prompt = "question"
    """`sampled`: with the system message, examples and instruction it was sampled with."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""
    loss: Literal["intervention", "both"] = "intervention"
    """`intervention`: where the completion begins, and with it the loss: at the new step, or at the
    steps before it."""

    def __post_init__(self) -> None:
        if self.partial and self.layout in ("messages", "llamafactory", "tools"):
            raise UsageError(
                "a prefix as a message would be ended by the chat template, and teach to stop in "
                "the middle; use layout=prompt or layout=text"
            )

    @property
    def acts(self) -> bool:
        return self.layout == "tools"

    @property
    def partial(self) -> bool:
        """Whether a row is the beginning of a trace."""
        return self.kind in ("prefix", "intervention")

    @property
    def labelled(self) -> bool:
        return self.kind not in ("right", "any")

    @property
    def grouped(self) -> bool:
        return False

    @property
    def columns(self) -> str:
        if self.layout != "auto":
            return self.layout
        return "prompt" if self.partial else "messages"

    @property
    def snippet(self) -> str:
        return training.llamafactory("sft") if self.layout == "llamafactory" else training.SFT

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text = pa.string()
        columns = {
            "messages": [("messages", messages_type())],
            "prompt": [("prompt", text), ("completion", text)],
            "text": [("text", text)],
            "llamafactory": [("conversations", pa.list_(llamafactory.turn_type()))],
            "tools": [("messages", turns_type()), ("tools", text)],
        }[self.columns]
        return pa.schema([*columns, ("steps", pa.int64()), *origin_fields()])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        steps = self.steps(trace)
        question = prompt_messages(trace, self.prompt)
        if self.layout == "tools":
            chat = [*map(turn, question), *map(turn, turns_of(trace))]
            return {
                "messages": chat,
                "tools": tools_of(trace),
                "steps": steps,
                **origin(trace),
            }
        given = self.given(steps)
        before = trace.prefix(given)
        answer = (trace.prefix(steps) if self.partial else trace.text.rstrip())[len(before) :]
        conversation = [*question, assistant(before + answer)]
        columns: dict[str, Row] = {
            "messages": {"messages": conversation},
            "prompt": {"prompt": f"{plain(question)}\n{before}", "completion": answer},
            "text": {"text": f"{plain(question)}\n{before}{answer}"},
            "llamafactory": {"conversations": list(map(llamafactory.turn, conversation))},
        }
        return {**columns[self.columns], "steps": steps, **origin(trace)}

    def beside(self) -> Mapping[str, str]:
        if self.layout != "llamafactory":
            return {}
        return llamafactory.dataset_info({"messages": "conversations"})

    def given(self, steps: int) -> int:
        """How many of the steps stand before the loss begins."""
        return steps - 1 if self.kind == "intervention" and self.loss == "intervention" else 0

    def steps(self, trace: Trace) -> int:
        """How many of the trace's steps are worth imitating."""
        by = trace.labels.by if trace.labels else None
        if self.kind in MADE_BY and by != MADE_BY[self.kind]:
            raise LeftOut(f"not made by prmdata {MADE_BY[self.kind]}")
        if self.kind == "intervention" and trace.labels:
            return int(trace.labels.settings["step"]) + 1
        if self.kind == "any":
            if trace.error is not None or not trace.text.strip() or trace.finish == "length":
                raise LeftOut("failed, cut or empty")
            return len(trace.steps)
        if not self.partial:
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
        if self.partial:
            counts["to train without an end-of-text token"] += 1
        counts["steps"] += row["steps"]
