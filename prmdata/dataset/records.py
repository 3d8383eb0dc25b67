"""Everything, in prmdata's own schema: nothing is left out, any stage reads it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from prmdata.files.schema import arrow_schema, to_row
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Records:
    labelled: ClassVar[bool] = False

    def schema(self) -> Any:
        return arrow_schema(Trace)

    def rows(self, trace: Trace) -> Iterator[dict[str, Any]]:
        yield to_row(trace)

    def tally(self, trace: Trace, counts: dict[str, int]) -> None:
        counts["steps"] = counts.get("steps", 0) + len(trace.steps)
