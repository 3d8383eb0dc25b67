"""OpenR's trees: a question, and nodes with their text, their value and their children.

A node is what one valued prefix adds to the one before it, so steps without a value join the next
that has one; a trace's end is worth its outcome. Kept are texts, values and the tree's shape; what
the layout has no place for is dropped: counts behind values, labels, costs, the white space between
steps, and the difference between two traces that say the same. JSON lines only, one a question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from prmdata.exports.contract import LeftOut, Row
from prmdata.exports.shapes.verdicts import measured
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa

DEEPEST = 400
"""Readers' parsers stop at about a thousand brackets inside one another."""


@dataclass(frozen=True, slots=True)
class OpenrTree:
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = True

    evidence: str | None = None
    """Whose values are written; none: those behind the labels, else the last there are."""
    unvalued: Literal["merge", "keep"] = "merge"
    """Steps without a value join the next that has one, or are nodes of value null."""

    def schema(self) -> pa.Schema | None:
        return None

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        sound = [trace for trace in group if trace.error is None and trace.steps]
        values = self._values(sound)
        paths = [path for trace in sound if (path := self._path(trace, values))]
        if not any(prefix in values for path in paths for _, prefix in path[:-1]):
            raise LeftOut("no values on the way")
        if max(map(len, paths)) > DEEPEST:
            raise LeftOut(f"deeper than {DEEPEST} nodes")
        problem = group[0].problem
        root = node(problem.question.strip(), root_value(group[0]))
        for path in paths:
            at = root
            for text, prefix in path:
                at = below(at, text, values.get(prefix))
        yield {"question": root["text"], "final_answer": problem.answer, "reasoning_steps": root}

    def tally(self, row: Row, counts: Counter[str]) -> None:
        waiting = [row["reasoning_steps"]]
        while waiting:
            children = waiting.pop()["children"]
            waiting += children
            counts["nodes"] += len(children)

    def _values(self, group: Sequence[Trace]) -> dict[str, float]:
        """Prefix → value. Traces of a tree share their prefixes; the first that knows one says."""
        values: dict[str, float] = {}
        for trace in group:
            for t, value in enumerate(measured(trace, self.evidence), 1):
                if value is not None:
                    values.setdefault(trace.prefix(t).rstrip(), value)
            if trace.correct is not None:
                values.setdefault(trace.text.rstrip(), float(trace.correct))
        return values

    def _path(self, trace: Trace, values: Mapping[str, float]) -> list[tuple[str, str]]:
        """Its nodes: their texts, and the prefixes they end; what has no value ends no node."""
        path, start = [], 0
        for t in range(1, len(trace.steps) + 1):
            prefix = trace.prefix(t)
            text, key = prefix[start:].strip(), prefix.rstrip()
            if text and (self.unvalued == "keep" or key in values):
                path.append((text, key))
                start = len(prefix)
        return path


def node(text: str, value: float | None) -> Row:
    return {"text": text, "mc_value": value, "children": []}


def below(parent: Row, text: str, value: float | None) -> Row:
    """The child of that text, made where there is none."""
    for child in parent["children"]:
        if child["text"] == text:
            present: Row = child
            return present
    child = node(text, value)
    parent["children"].append(child)
    return child


def root_value(trace: Trace) -> float | None:
    """The value in an imported tree, else the share of the problem's traces that end right."""
    value = trace.problem.meta.get("mc_value")
    if isinstance(value, int | float):
        return float(value)
    tally = trace.group
    ended = tally.right + tally.wrong if tally else 0
    return tally.right / ended if tally and ended else None
