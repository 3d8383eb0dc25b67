"""Everything, in prmdata's own schema: nothing is left out, any stage reads it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prmdata.exports.contract import Row, each
from prmdata.exports.shapes import training
from prmdata.files.schema import arrow_schema, to_row, unpacked
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Records:
    hub_task: ClassVar[str] = "text-generation"
    acts: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.RECORDS
    illustrated: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        return arrow_schema(Trace)

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, to_row)

    def line(self, row: Row) -> Row:
        line: Row = unpacked(Trace, row)
        return line

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["steps"] += len(row["steps"])
