"""Rewards and advantages for each step, for RL: TRL, verl, AReaL, SkyRL, NeMo, verifiers.

Advantages are those of `prmdata credit` where it was run; else rewards as they are, or the change
of the values. With a tokenizer there are token spans, and an advantage for each token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.chat import Prompt, prompt_messages
from prmdata.exports.shapes.earned import Unknown, earned
from prmdata.exports.shapes.paid import (
    LAYOUTS,
    TREES,
    WITHOUT_TOKENS,
    Layout,
    Paid,
    Pay,
    token_fields,
)
from prmdata.exports.shapes.spans import Spans, Spread, words_of
from prmdata.records import Message, Trace, content_of
from prmdata.settings import Count

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Credit:
    hub_task: ClassVar[str] = "reinforcement-learning"
    acts: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False

    layout: Layout = "plain"
    tokenizer: str = ""
    """A folder with tokenizer.json and tokenizer_config.json, or a hub id: that of the model which
    will be trained. Empty: no tokens. Every layout but plain and nemo-gym needs one."""
    spread: Spread = "even"
    """The tokens of a step share its advantage evenly, have it each, or the last one has it."""
    pay: Pay = "credit"
    """What stands where a trainer reads rewards (`rm_scores`, `step_rewards`, `rewards`): the
    credit, or the rewards that it was made of."""
    unknown: Unknown = "drop"
    """A trace with a step of unknown credit is left out, or such steps count as 0."""
    prompt: Prompt = "sampled"
    """`question`: without the system message, examples and instruction they were sampled with."""
    max_tokens: Count | None = None
    """Longer traces, prompt included, are left out: a cut one would lose its last steps."""

    def __post_init__(self) -> None:
        if not self.tokenizer and self.layout not in WITHOUT_TOKENS:
            raise UsageError(
                f"layout={self.layout} is made of tokens: name the tokenizer of the model that "
                "will be trained, --set tokenizer=FOLDER or a hub id"
            )
        if self.max_tokens is not None and not self.tokenizer:
            raise UsageError("max_tokens counts tokens: give --set tokenizer=… too")

    @property
    def snippet(self) -> str:
        return training.CREDIT.get(self.layout, "")

    def schema(self) -> pa.Schema | None:
        import pyarrow as pa

        if self.layout in TREES:
            return None
        fields, _ = LAYOUTS[self.layout]
        more = token_fields() if self.tokenizer and self.layout == "plain" else []
        own = [(name, pa.string()) for name in ("credit", "trace_id")]
        counts = [("across", pa.int64()), ("drift", pa.int64())] if self.tokenizer else []
        filled = [("filled", pa.int64())]
        return pa.schema([*fields(), *more, *own, *filled, *counts])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        won = earned(trace, self.unknown)
        prompt = [_bare(message) for message in prompt_messages(trace, self.prompt)]
        spans = self._spans(trace, prompt) if self.tokenizer else None
        _, made = LAYOUTS[self.layout]
        row = made(Paid(trace, prompt, won, spans, self.spread, self.pay))
        row |= {"credit": won.source, "trace_id": trace.id, "filled": won.filled}
        if spans is not None:
            sampled = trace.origin.tokens
            drift = None if sampled is None else len(spans.ids) - sampled
            row |= {"across": spans.across, "drift": drift}
        return row

    def _spans(self, trace: Trace, prompt: Sequence[Message]) -> Spans:
        if trace.acts:
            raise LeftOut("a chat with tools: its tokens are not those of one text")
        spans = words_of(self.tokenizer).spans(trace, prompt)
        total = len(spans.prompt_ids) + len(spans.ids)
        if self.max_tokens is not None and total > self.max_tokens:
            raise LeftOut(f"longer than {self.max_tokens} tokens")
        return spans

    def line(self, row: Row) -> Row:
        return row["trace"] if self.layout in TREES else row

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts[f"advantages: {row['credit']}"] += 1
        counts["steps of unknown credit, counted as 0"] += row["filled"]
        if self.tokenizer:
            counts["tokens across the end of a step"] += row["across"]
            counts["traces in other tokens than were sampled"] += bool(row["drift"])


def _bare(message: Message) -> Message:
    return {"role": str(message.get("role")), "content": content_of(message)}
