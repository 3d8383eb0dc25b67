"""ATIF trajectories with labels: the document that was imported, and in `extra` what is said of
each step.

`steps[].extra.prmdata` has the label (1, 0, -1), the value and the reward of each entry of the
agent; `extra.prmdata` of the trajectory the first wrong step, its confidence, and who says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.messages import ratings
from prmdata.exports.shapes.rewards import rewards_of
from prmdata.records import Trace
from prmdata.turns import closing_messages

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Atif:
    """A trajectory a line. Only what came from ATIF can be written."""

    acts: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = False

    evidence: str | None = None
    """Whose rewards are written; none: the last that has any."""

    def schema(self) -> pa.Schema | None:
        return None

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        document = trace.origin.source
        if not str(document.get("schema_version", "")).startswith("ATIF"):
            raise LeftOut("not from an ATIF trajectory")
        told = said_of(trace, self.evidence)
        labels = trace.labels
        entries = list(document["steps"])
        agents = [
            place
            for place, entry in enumerate(entries)
            if entry.get("source") == "agent" and not entry.get("is_copied_context")
        ]
        for place, own in zip(agents, told, strict=True):
            if own:
                extra = {**(entries[place].get("extra") or {}), "prmdata": own}
                entries[place] = {**entries[place], "extra": extra}
        first = None if labels is None else labels.first_error
        whole: dict[str, object] = (
            {}
            if labels is None
            else {
                "by": labels.by,
                "first_error": None
                if first is None
                else entries[agents[turn_of(trace, first)]]["step_id"],
                "confidence": labels.confidence,
                "examined": labels.examined,
            }
        )
        extra = {**(document.get("extra") or {}), **({"prmdata": whole} if whole else {})}
        return {**document, "steps": entries, **({"extra": extra} if extra else {})}

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["with labels"] += "prmdata" in (row.get("extra") or {})


def said_of(trace: Trace, evidence: str | None) -> list[dict[str, Any]]:
    """For each turn what is said of it: label, value and reward, as far as there are any."""
    labels = trace.labels
    values = labels.values if labels else ()
    rated, rewards = ratings(trace), rewards_of(trace, evidence)
    told, begin = [], 0
    for step, _ in closing_messages(trace):
        pieces = range(begin, step + 1)
        own = {
            "label": min((r for i in pieces if (r := rated[i]) is not None), default=None),
            "value": values[step] if values else None,
            "reward": _sum([rewards[i] for i in pieces]) if rewards else None,
        }
        told.append({name: value for name, value in own.items() if value is not None})
        begin = step + 1
    return told


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def turn_of(trace: Trace, step: int) -> int:
    """The number of the turn that a step belongs to."""
    return sum(bool(one.messages) for one in trace.steps[:step])
