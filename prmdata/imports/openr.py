"""OpenR (question, reasoning_steps, final_answer): a tree of nodes (text, mc_value, children), or a
flat list of prefixes (solution_prefix, mc_value).

Every path from the root to a leaf is a trace, a node a step; the values become evidence, not
labels: `label --method threshold` decides. OpenR strips its nodes and joins them by a blank line.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, list_of, separated, text_of
from prmdata.records import Evidence, Trace

NAME = "openr-tree"
DEEPEST = 1000
BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class OpenrTree:
    @classmethod
    def fits(cls, row: Row) -> bool:
        root = row.get("reasoning_steps")
        return isinstance(root, Mapping) and "children" in root

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        root = row["reasoning_steps"]
        whole = value_of(root, where)
        for path in paths(root, where):
            texts = [node["text"] for node in path]
            yield trace_of(row, texts, [value_of(node, where) for node in path], whole, where)


@dataclass(frozen=True, slots=True)
class OpenrFlat:
    """The root stands in the list too, as the question; a prefix that is there twice is worth the
    mean of its values."""

    @classmethod
    def fits(cls, row: Row) -> bool:
        nodes = row.get("reasoning_steps")
        first = nodes[0] if isinstance(nodes, list) and nodes else None
        return isinstance(first, Mapping) and "solution_prefix" in first

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        question = text_of(row, "question", where).strip()
        values = prefix_values(list_of(row, "reasoning_steps", where), question, where)
        lengths = {len(prefix) for prefix in values}
        parents = {prefix: parent_of(prefix, values, lengths) for prefix in values if prefix}
        inner = set(parents.values())
        for leaf in parents:
            if leaf in inner:
                continue
            path = [leaf]
            while path[0]:
                path.insert(0, parents[path[0]])
                if len(path) > DEEPEST:
                    raise InputError(f"{where}: a tree deeper than {DEEPEST:,}")
            pairs = itertools.pairwise(path)
            texts = [prefix[len(parent) :].strip() for parent, prefix in pairs]
            yield trace_of(row, texts, [values[p] for p in path[1:]], values.get(""), where)


def trace_of(
    row: Row, texts: Sequence[str], values: Sequence[float | None], whole: float | None, where: str
) -> Trace:
    answer = row.get("final_answer")
    trace = bare(
        text_of(row, "question", where),
        None if answer is None else str(answer),
        separated(texts, BETWEEN),
        NAME,
    )
    meta = trace.problem.meta if whole is None else {**trace.problem.meta, "mc_value": whole}
    evidence = Evidence(name=NAME, kind="rollouts", values=tuple(values))
    return replace(trace, problem=replace(trace.problem, meta=meta), evidence=(evidence,))


def value_of(node: Mapping[str, object], where: str) -> float | None:
    value = node.get("mc_value")
    if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
        raise InputError(f"{where}: mc_value {value!r} does not lie between 0 and 1")
    return None if value is None else float(value)


def prefix_values(nodes: Sequence[Any], question: str, where: str) -> dict[str, float | None]:
    """What follows the question → its value; the empty text is the question itself."""
    found: dict[str, list[float | None]] = defaultdict(list)
    for node in nodes:
        prefix = node.get("solution_prefix") if isinstance(node, Mapping) else None
        if not isinstance(prefix, str) or not prefix.startswith(question):
            raise InputError(f"{where}: a solution_prefix that does not begin with the question")
        found[prefix[len(question) :].strip()].append(value_of(node, where))
    values = {prefix: [v for v in all_ if v is not None] for prefix, all_ in found.items()}
    return {prefix: mean(known) if known else None for prefix, known in values.items()}


def parent_of(prefix: str, known: Mapping[str, float | None], lengths: Collection[int]) -> str:
    """The longest other prefix that this one goes on from; none: the question."""
    end = prefix.rfind(BETWEEN)
    while end > 0 and (end not in lengths or prefix[:end] not in known):
        end = prefix.rfind(BETWEEN, 0, end)
    return prefix[: max(end, 0)]


def paths(root: Mapping[str, object], where: str) -> Iterator[list[Mapping[str, Any]]]:
    """From below the root to every leaf, in order; without recursion: trees may be deep."""
    path: list[Mapping[str, object]] = []
    open_nodes = [iter(_children(root))]
    while open_nodes:
        node = next(open_nodes[-1], None)
        if node is None:
            open_nodes.pop()
            path = path[: len(open_nodes) - 1]
            continue
        if not isinstance(node, Mapping) or not isinstance(node.get("text"), str):
            raise InputError(f"{where}: a node without text")
        path = [*path[: len(open_nodes) - 1], node]
        if len(path) > DEEPEST:
            raise InputError(f"{where}: a tree deeper than {DEEPEST:,}")
        if children := _children(node):
            open_nodes.append(iter(children))
        else:
            yield path


def _children(node: Mapping[str, object]) -> list[object]:
    children = node.get("children")
    return children if isinstance(children, list) else []
