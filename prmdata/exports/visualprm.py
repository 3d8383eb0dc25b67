"""VisualPRM's rows: each step with its score, the hits and the rollouts behind it.

The layout has a score for every step, and a step after the first score of 0 stands there with
0 of 0; so steps that were never rolled out are written only there, and a trace with gaps before
its first 0 is left out. Readers call a step right where its score is above 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.verdicts import measuring
from prmdata.records import Evidence, Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Visualprm:
    hub_task: ClassVar[str] = "image-text-to-text"
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.VISUALPRM
    illustrated: ClassVar[bool] = True

    evidence: str | None = None
    """Whose rollouts are written; none: those behind the labels, else the last there are."""

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        text, count = pa.string(), pa.int64()
        step = pa.struct(
            [
                ("step", text),
                ("score", pa.float64()),
                ("num_mc_correct", count),
                ("num_mc_total", count),
            ]
        )
        return pa.schema(
            [
                *((name, text) for name in ("image", "question", "answer", "response")),
                ("steps_with_score", pa.list_(step)),
                ("num_mc_sequences", count),
            ]
        )

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        evidence = measuring(trace, self.evidence)
        if trace.error is not None or not trace.steps:
            raise LeftOut("failed")
        if evidence is None or not evidence.rollouts:
            raise LeftOut("no rollouts counted")
        if len(trace.problem.images) > 1:
            raise LeftOut("more than one image")
        steps = list(_scored(trace, evidence))
        inner = [step["num_mc_total"] for step in steps[:-1]]
        return {
            "image": next(iter(trace.problem.images), None),
            "question": trace.problem.question.strip(),
            "answer": trace.problem.answer,
            "response": trace.text.strip(),
            "steps_with_score": steps,
            "num_mc_sequences": max(inner, default=steps[-1]["num_mc_total"]),
        }

    def tally(self, row: Row, counts: Counter[str]) -> None:
        scores = [step["score"] for step in row["steps_with_score"]]
        counts["steps above 0"] += sum(score > 0 for score in scores)
        counts["steps at 0"] += sum(score == 0 for score in scores)


def _scored(trace: Trace, evidence: Evidence) -> Iterator[Row]:
    lost = False
    for index, step in enumerate(trace.steps):
        hits, rollouts = evidence.hits[index], evidence.rollouts[index]
        if lost:
            hits = rollouts = 0
        if hits is None or rollouts is None or (rollouts == 0 and not lost):
            raise LeftOut("steps without rollouts before the first score of 0")
        lost = lost or hits == 0
        yield {
            "step": step.text.strip(),
            "score": hits / rollouts if rollouts else 0.0,
            "num_mc_correct": hits,
            "num_mc_total": rollouts,
        }
