"""Prompts whose answers can be checked, for reinforcement learning: verl, TRL, ms-swift.

`solve`: each problem once, its truth is the answer. `judge`: each labelled trace, its truth is the
first wrong step, -1 where there is none. Both ask for a boxed answer, which is what the graders
that come with these trainers look for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import critic, training
from prmdata.exports.shapes.chat import messages_type, pass_rate_fields, pass_rate_of, user
from prmdata.exports.shapes.verdicts import Unexamined, decided, error_index
from prmdata.records import Problem, Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Rl:
    hub_task: ClassVar[str] = "reinforcement-learning"
    acts: ClassVar[bool] = True
    trainer: Literal["verl", "trl", "ms-swift"] = "verl"
    task: Literal["solve", "judge"] = "solve"
    instruction: str = "Reason step by step, and put the final answer in \\boxed{}."
    """`solve`: the text after the question."""
    index_base: critic.IndexBase = 0
    """`judge`: the number of the first paragraph. No error is -1 with both."""
    data_source: str = "lighteval/MATH"
    """`verl`: names its grader; this one compares boxed answers. Others need a reward function."""
    split: str = "train"
    pass_rate: bool = False
    """A `pass_rate` column: the share of the problem's graded traces that were right."""
    unexamined: Unexamined = "drop"
    """`judge`: keep or drop right answers that were taken at their word."""

    @property
    def labelled(self) -> bool:
        return self.task == "judge"

    @property
    def grouped(self) -> bool:
        return self.task == "solve"

    @property
    def snippet(self) -> str:
        return {
            "verl": training.VERL,
            "trl": training.GRPO,
            "ms-swift": training.swift("grpo") + " --reward_funcs accuracy",
        }[self.trainer]

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text = pa.string()
        names = [("problem_id", text), ("trace_id", text)]
        rate = pass_rate_fields(self.pass_rate)
        if self.trainer == "verl":
            return pa.schema(
                [
                    ("data_source", text),
                    ("prompt", messages_type()),
                    ("ability", text),
                    ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
                    ("extra_info", pa.struct([("split", text), ("index", pa.int64()), *names])),
                    *rate,
                ]
            )
        column = "messages" if self.trainer == "ms-swift" else "prompt"
        return pa.schema([(column, messages_type()), ("solution", text), *names, *rate])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group[:1] if self.grouped else group, self.of)

    def of(self, trace: Trace) -> Row:
        return {**self._asked(trace), **pass_rate_of(trace, self.pass_rate)}

    def _asked(self, trace: Trace) -> Row:
        if self.task == "judge":
            labels = decided(trace, self.unexamined)
            truth = str(error_index(labels, self.index_base))
            return self.row(trace.problem, trace.id, critic.task(trace, self.index_base), truth)
        problem = trace.problem
        if not problem.question.strip() or not (problem.answer or "").strip():
            raise LeftOut("no question or no gold answer")
        text = f"{problem.question.strip()}\n\n{self.instruction}".rstrip()
        return self.row(problem, "", text, str(problem.answer).strip())

    def row(self, problem: Problem, trace_id: str, text: str, truth: str) -> Row:
        prompt, names = [user(text)], {"problem_id": problem.id, "trace_id": trace_id}
        if self.trainer != "verl":
            # math-verify reads nothing from a bare `x+1` or `C`, and gives no reward for it.
            column = "messages" if self.trainer == "ms-swift" else "prompt"
            return {column: prompt, "solution": f"\\boxed{{{truth}}}", **names}
        return {
            "data_source": self.data_source,
            "prompt": prompt,
            "ability": problem.kind,
            "reward_model": {"style": "rule", "ground_truth": truth},
            "extra_info": {"split": self.split, "index": number(trace_id or problem.id), **names},
        }

    def tally(self, row: Row, counts: Counter[str]) -> None:
        if self.task == "judge":
            truth = row["solution"] if "solution" in row else row["reward_model"]["ground_truth"]
            counts["with an error"] += "-1" not in truth


def number(name: str) -> int:
    """A whole number for an id, the same in every run."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
