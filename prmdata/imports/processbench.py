"""ProcessBench: steps, and the first wrong one by people; −1 where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, list_of, separated, text_of, truth
from prmdata.records import Trace, Verdict

NAME = "processbench"


@dataclass(frozen=True, slots=True)
class Processbench:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return {"problem", "steps", "label", "final_answer_correct"} <= row.keys()

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        steps = list_of(row, "steps", where)
        label = row.get("label")
        if isinstance(label, bool) or not isinstance(label, int) or not -1 <= label < len(steps):
            raise InputError(f"{where}: label {label!r} is no index of {len(steps)} steps, nor -1")
        # A benchmark says nothing of the steps after the first wrong one.
        verdicts: list[Verdict | None] = ["right"] * len(steps)
        if label >= 0:
            verdicts[label:] = ["wrong", *([None] * (len(steps) - label - 1))]
        evidence, labels = truth(NAME, verdicts)
        trace = bare(text_of(row, "problem", where), None, separated(steps, "\n\n"), NAME)
        correct = row["final_answer_correct"]
        yield replace(
            trace,
            correct=correct if isinstance(correct, bool) else None,
            origin=replace(trace.origin, model=str(row.get("generator") or "") or None),
            evidence=(evidence,),
            labels=labels,
        )
