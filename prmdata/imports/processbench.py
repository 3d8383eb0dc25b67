"""ProcessBench (problem, steps, label, final_answer_correct): the first wrong step by people,
counted from 0; -1 where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prmdata.imports.contract import (
    Row,
    bare,
    first_error_truth,
    index_of,
    separated,
    steps_of,
    text_of,
)
from prmdata.records import Trace

NAME = "processbench"


@dataclass(frozen=True, slots=True)
class Processbench:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return {"problem", "steps", "label", "final_answer_correct"} <= row.keys()

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        steps = steps_of(row, "steps", where)
        first = index_of(row["label"], len(steps), 0, "label", where)
        evidence, labels = first_error_truth(NAME, first, len(steps))
        trace = bare(text_of(row, "problem", where), None, separated(steps, "\n\n"), NAME)
        correct = row["final_answer_correct"]
        yield replace(
            trace,
            correct=correct if isinstance(correct, bool) else None,
            origin=replace(trace.origin, model=str(row.get("generator") or "") or None),
            evidence=(evidence,),
            labels=labels,
        )
