"""Preference pairs for DPO and reward models: by step, value, outcome, agreement or model.

`step`: the first wrong step of a trace against a right step of a sibling with exactly the same
text before it, and no pair where no sibling has. `value`: two steps after exactly the same text
whose values lie apart, as trees and `next-step` find them; labels are not needed. In chat layouts
that text begins both answers: in the prompt, trainers would render it as an assistant's turn that
has ended.

Of whole traces: `outcome`, right over wrong; `agreement`, an answer that several models give over
one that one alone gives; `model`, the better model's over the others'. The last two need no gold
answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.errors import InputError, UsageError
from prmdata.exports.contract import LeftOut, Row
from prmdata.exports.shapes import preference, training
from prmdata.exports.shapes.chat import Prompt, pass_rate_fields, pass_rate_of, prompt_messages
from prmdata.exports.shapes.siblings import (
    ByValue,
    Pair,
    by_agreement,
    by_model,
    by_outcome,
    by_step,
    by_value,
)
from prmdata.exports.shapes.verdicts import Unexamined
from prmdata.records import Trace
from prmdata.settings import Count, Share

if TYPE_CHECKING:
    import pyarrow as pa

WITH_MARGIN = ("trl", "ms-swift", "tools")


@dataclass(frozen=True, slots=True)
class Pairs:
    hub_task: ClassVar[str] = "reinforcement-learning"
    grouped: ClassVar[bool] = True
    kind: Literal["step", "value", "outcome", "agreement", "model"] = "step"
    layout: preference.Layout = "trl"
    """`tools`: TRL's for agents; the turns before a step, and what tools answered, are prompt."""
    prompt: Prompt = "question"
    """`sampled`: with the system message, examples and instruction they were sampled with."""
    most: int = 1
    """Pairs for each wrong trace; with `value`, for each text that several steps follow."""
    min_gap: Share = 0.25
    """`value`: the least difference of the two values."""
    min_rollouts: Count = 4
    """`value`: the least rollouts behind a value, where they were counted."""
    sure: bool = True
    """`value`: only steps whose values differ for certain: their 95 % intervals lie apart."""
    better: str = ""
    """`model`: the sampler or the fingerprint of the better one, as in the traces' `origin`."""
    evidence: str | None = None
    """`value`: whose values are read; none: those behind the labels, else the last there are."""
    margin: bool = False
    """A `margin` column: how much more likely the right step leads to the answer."""
    pass_rate: bool = False
    """A `pass_rate` column: the share of the problem's graded traces that were right."""
    unexamined: Unexamined = "keep"
    """`step`: whether right steps may come from right answers that were taken at their word."""

    def __post_init__(self) -> None:
        if self.most < 1:
            raise UsageError(f"most={self.most}: must be at least 1")
        if (self.kind == "model") != bool(self.better):
            raise UsageError("kind=model takes the better model: --set better=SAMPLER; others none")
        if self.margin and (self.kind not in ("step", "value") or self.layout not in WITH_MARGIN):
            raise UsageError(
                f"margin is the gap between two steps' values, for {' and '.join(WITH_MARGIN)}; "
                "use it with kind=step or kind=value and one of these layouts"
            )

    @property
    def acts(self) -> bool:
        return self.layout == "tools"

    @property
    def labelled(self) -> bool:
        return self.kind == "step"

    @property
    def snippet(self) -> str:
        return {
            "trl": training.trl("DPOTrainer"),
            "ms-swift": training.swift("dpo"),
            "llamafactory": training.llamafactory("dpo"),
            "nemo-rl": training.NEMO_RL,
            "step-dpo": training.STEP_DPO,
            "tools": training.trl("DPOTrainer"),
        }[self.layout]

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        margin = [("margin", pa.float64())] if self.margin else []
        return pa.schema(
            [
                *preference.fields(self.layout),
                *margin,
                ("step", pa.int64()),
                ("problem_id", pa.string()),
                ("chosen_id", pa.string()),
                ("rejected_id", pa.string()),
                *pass_rate_fields(self.pass_rate),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        sound = [trace for trace in group if trace.error is None]
        if self.kind == "step":
            pairs = list(by_step(sound, self.most, self.unexamined))
        elif self.kind == "value":
            choice = ByValue(self.evidence, self.min_gap, self.min_rollouts, self.sure)
            pairs = list(by_value(sound, choice, self.most))
        elif self.kind == "agreement":
            pairs = list(by_agreement(sound, self.most))
        elif self.kind == "model":
            pairs = list(by_model(sound, self.better, self.most))
        else:
            pairs = list(by_outcome(sound, self.most))
        if not pairs:
            raise LeftOut(f"no pair by {self.kind}")
        return map(self.row, pairs)

    def row(self, pair: Pair) -> Row:
        step = pair.rejected.step
        return {
            **preference.LAYOUTS[self.layout](
                pair, prompt_messages(pair.rejected.trace, self.prompt)
            ),
            **({"margin": margin(pair)} if self.margin else {}),
            "step": -1 if step is None else step,
            "problem_id": pair.rejected.trace.problem.id,
            "chosen_id": pair.chosen.trace.id,
            "rejected_id": pair.rejected.trace.id,
            **pass_rate_of(pair.rejected.trace, self.pass_rate),
        }

    def beside(self) -> Mapping[str, str]:
        return preference.beside(self.layout)

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["pairs at the first step"] += row["step"] == 0


def margin(pair: Pair) -> float:
    if pair.gap is None:
        raise InputError(
            f"traces {pair.chosen.trace.id} and {pair.rejected.trace.id}: their labels have no "
            "values (or biased ones, from rollouts that stopped at the first hit) to take a "
            "margin from; label with a method that gives values, or leave margin out"
        )
    return pair.gap
