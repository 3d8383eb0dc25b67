"""Value-model data: every prefix carries the outcome of its trace (OVM). Needs no labels.

`stepwise`: the columns that PRM trainers read, each step labelled by the final answer.
`ovm`: OVM's own file, a problem with all its answers in one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.rl import number
from prmdata.exports.shapes import training
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Value:
    hub_task: ClassVar[str] = "token-classification"
    labelled: ClassVar[bool] = False

    layout: Literal["stepwise", "ovm"] = "stepwise"

    @property
    def grouped(self) -> bool:
        return self.layout == "ovm"

    @property
    def snippet(self) -> str:
        return training.PRM if self.layout == "stepwise" else training.OVM

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text = pa.string()
        if self.layout == "stepwise":
            steps = [("completions", pa.list_(text)), ("labels", pa.list_(pa.int64()))]
            return pa.schema([("prompt", text), *steps, ("problem_id", text), ("trace_id", text)])
        output = pa.struct([("response", text), ("response_answer", text), ("label", pa.bool_())])
        names = ("input", "question", "answer", "ground_truth", "problem_id")
        return pa.schema(
            [("idx", pa.int64()), *((name, text) for name in names), ("outputs", pa.list_(output))]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        if self.layout == "stepwise":
            return each(group, stepwise)
        graded = [trace for trace in group if is_known(trace)]
        if not graded:
            raise LeftOut("nobody knows whether the answer is right")
        return iter([ovm(graded)])

    def positive(self, row: Row) -> bool:
        if self.layout == "ovm":
            raise UsageError("--balance: a row of layout=ovm holds right and wrong answers")
        return bool(row["labels"][0])

    def tally(self, row: Row, counts: Counter[str]) -> None:
        outcomes = row["labels"][:1] if "labels" in row else [o["label"] for o in row["outputs"]]
        counts["traces right"] += sum(map(bool, outcomes))
        counts["traces wrong"] += sum(not outcome for outcome in outcomes)


def is_known(trace: Trace) -> bool:
    return trace.error is None and trace.correct is not None and bool(trace.steps)


def stepwise(trace: Trace) -> Row:
    if not is_known(trace) or trace.correct is None:
        raise LeftOut("nobody knows whether the answer is right")
    return {
        "prompt": trace.problem.question.rstrip() + "\n",
        "completions": [step.text.rstrip() for step in trace.steps],
        "labels": [int(trace.correct)] * len(trace.steps),
        "problem_id": trace.problem.id,
        "trace_id": trace.id,
    }


def ovm(group: Sequence[Trace]) -> Row:
    problem = group[0].problem
    return {
        "idx": number(problem.id),
        "input": problem.question.strip(),
        "question": problem.question.strip(),
        "answer": str(problem.context.get("solution") or problem.answer or ""),
        "ground_truth": problem.answer or "",
        "problem_id": problem.id,
        "outputs": [
            {"response": t.text.rstrip(), "response_answer": t.answer or "", "label": t.correct}
            for t in group
        ],
    }
