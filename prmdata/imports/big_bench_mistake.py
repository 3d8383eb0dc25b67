"""BIG-Bench-Mistake (input, steps, mistake_index; target, answer): the first wrong step by people,
counted from 0; null where there is none."""

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

NAME = "big-bench-mistake"


@dataclass(frozen=True, slots=True)
class BigBenchMistake:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return {"input", "steps", "mistake_index"} <= row.keys()

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        steps = steps_of(row, "steps", where)
        value = row["mistake_index"]
        first = None if value is None else index_of(value, len(steps), 0, "mistake_index", where)
        gold, given = _text(row.get("target")), _text(row.get("answer"))
        evidence, labels = first_error_truth(NAME, first, len(steps))
        yield replace(
            bare(text_of(row, "input", where), gold, separated(steps, "\n"), NAME),
            answer=given,
            correct=None if gold is None or given is None else gold == given,
            evidence=(evidence,),
            labels=labels,
        )


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value).strip()
