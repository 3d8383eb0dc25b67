"""verifiers, version 1 (traces.jsonl: an episode a line with its traces, or a trace): graphs of
messages with exact tokens.

Every path of the graph from its root to a leaf in which the model took a turn is a trace. The graph
is kept, so that `export --to verifiers` writes labels, and credit for each token, back into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare
from prmdata.problems.contract import is_nothing
from prmdata.records import Message, Trace, content_of
from prmdata.turns import is_turn, path_to, steps_of

NAME = "verifiers"
ANSWERS = ("answer", "solution", "target")


@dataclass(frozen=True, slots=True)
class Verifiers:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return "nodes" in row or any("nodes" in trace for trace in traces_of(row))

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        for one in [row] if "nodes" in row else traces_of(row):
            yield from _branches(one, row.get("task"), where)


def traces_of(row: Row) -> list[Mapping[str, object]]:
    found = row.get("traces")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _branches(trace: Mapping[str, object], task: object, where: str) -> Iterator[Trace]:
    nodes = nodes_of(trace, where)
    leaves = [leaf for leaf in leaves_of(nodes) if _acts(nodes, path_to(nodes, leaf))]
    if not leaves:
        raise InputError(f"{where}: in no branch does an assistant answer a user")
    for leaf in leaves:
        made = _branch(trace, nodes, leaf, trace.get("task") or task)
        name = str(trace.get("id") or "")
        yield replace(made, id=f"{name}.{leaf}" if name and len(leaves) > 1 else name)


def _branch(
    trace: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], leaf: int, task: object
) -> Trace:
    path = path_to(nodes, leaf)
    turns = [message_of(nodes[place]) for place in path]
    first = next(i for i, place in enumerate(path) if is_turn(nodes[place]))
    question = next(content_of(turn) for turn in turns[:first] if turn["role"] == "user")
    data = task.get("data") if isinstance(task, Mapping) else None
    answer = _answer(data) if isinstance(data, Mapping) else None
    made = bare(question, answer, steps_of(turns[first:]), NAME)
    tools = nodes[path[0]].get("tools") or trace.get("tools") or []
    origin = replace(
        made.origin,
        messages=tuple(turns[:first]),
        tools=tuple({"type": "function", "function": dict(tool)} for tool in tools),
        source={"leaf": leaf, "trace": dict(trace)},
    )
    score = _reward(trace.get("rewards"))
    return replace(
        made,
        origin=origin,
        correct=None if score is None else score >= 1,
        score=None if score is None else min(max(score, 0.0), 1.0),
    )


def nodes_of(trace: Mapping[str, object], where: str) -> list[Mapping[str, object]]:
    nodes = trace.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        raise InputError(f"{where}: the trace has no nodes")
    for place, node in enumerate(nodes):
        parent = node.get("parent")
        message = node.get("message")
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise InputError(f"{where}: node {place} has no message")
        if parent is not None and not (type(parent) is int and 0 <= parent < place):
            raise InputError(f"{where}: node {place} has no parent {parent!r:.20} before it")
    return nodes


def leaves_of(nodes: Sequence[Mapping[str, object]]) -> list[int]:
    parents = {node.get("parent") for node in nodes}
    return [place for place in range(len(nodes)) if place not in parents]


def _acts(nodes: Sequence[Mapping[str, Any]], path: Sequence[int]) -> bool:
    first = next((i for i, place in enumerate(path) if is_turn(nodes[place])), 0)
    return any(nodes[place]["message"]["role"] == "user" for place in path[:first])


def message_of(node: Mapping[str, Any]) -> Message:
    """In the form that chat templates take: calls have a function."""
    message = {name: value for name, value in node["message"].items() if value is not None}
    message.setdefault("content", "")
    if calls := message.get("tool_calls"):
        message["tool_calls"] = [
            {
                "id": call.get("id"),
                "type": "function",
                "function": {"name": call.get("name"), "arguments": call.get("arguments")},
            }
            for call in calls
        ]
    return message


def _answer(data: Mapping[str, object]) -> str | None:
    found = next((data[name] for name in ANSWERS if not is_nothing(data.get(name))), None)
    return str(found) if isinstance(found, str | int | float) else None


def _reward(rewards: object) -> float | None:
    """The weighted sum, as verifiers has it; nothing where scoring did not run."""
    if not isinstance(rewards, Mapping) or not rewards or None in rewards.values():
        return None
    parts = [
        reward if isinstance(reward, Mapping) else {"score": reward} for reward in rewards.values()
    ]
    return float(sum(part.get("score", 0) * part.get("weight", 1) for part in parts))
