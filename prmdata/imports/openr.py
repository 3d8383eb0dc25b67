"""OpenR trees: a question, and nodes with their text, their value and their children.

Every path from the root to a leaf is a trace; the values become evidence, not labels: `label
--method threshold` decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, text_of
from prmdata.records import Evidence, Step, Trace

NAME = "openr-tree"
DEEPEST = 1000


@dataclass(frozen=True, slots=True)
class OpenrTree:
    @classmethod
    def fits(cls, row: Row) -> bool:
        root = row.get("reasoning_steps")
        return isinstance(root, Mapping) and "children" in root

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        question = text_of(row, "question", where)
        answer = row.get("final_answer")
        for path in paths(row["reasoning_steps"], where):
            steps = tuple(Step(str(node["text"])) for node in path)
            values = tuple(self._value(node, where) for node in path)
            evidence = Evidence(name=NAME, kind="rollouts", values=values)
            trace = bare(question, None if answer is None else str(answer), steps, NAME)
            yield replace(trace, evidence=(evidence,))

    def _value(self, node: Mapping[str, Any], where: str) -> float | None:
        value = node.get("mc_value")
        if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise InputError(f"{where}: mc_value {value!r} does not lie between 0 and 1")
        return None if value is None else float(value)


def paths(root: Mapping[str, Any], where: str) -> Iterator[list[Mapping[str, Any]]]:
    """From below the root to every leaf, in order; without recursion: trees may be deep."""
    stack: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = [(root, [])]
    while stack:
        node, path = stack.pop()
        children = node.get("children") or []
        if not children and path:
            yield path
        if len(path) > DEEPEST:
            raise InputError(f"{where}: a tree deeper than {DEEPEST:,}")
        for child in reversed(children):
            if not isinstance(child, Mapping) or not isinstance(child.get("text"), str):
                raise InputError(f"{where}: a node without text")
            stack.append((child, [*path, child]))
