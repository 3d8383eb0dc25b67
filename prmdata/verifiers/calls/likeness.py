"""How alike two calls of tools are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from prmdata.records import Step, Trace
from prmdata.turns import arguments_of
from prmdata.verifiers.calls.matching import assigned

Call = tuple[str, Mapping[str, Any] | None]
"""A name and its arguments; `None` where they cannot be read."""


def gold_calls(trace: Trace) -> list[Call]:
    found = trace.problem.context.get("calls")
    calls = found if isinstance(found, list) else []
    return [_call(call) for call in calls if isinstance(call, Mapping)]


def calls_of(step: Step) -> list[Call]:
    return [_call(call) for call in step.calls]


def _call(call: Mapping[str, object]) -> Call:
    of = call.get("function") if isinstance(call.get("function"), Mapping) else call
    assert isinstance(of, Mapping)
    arguments = arguments_of(of)
    known = arguments if isinstance(arguments, Mapping) else {} if arguments is None else None
    return str(of.get("name")), known


def similarity(call: Call, gold: Call) -> float:
    """0 for another tool; else how alike names and values of the arguments are, 1 for equal."""
    (name, own), (wanted, theirs) = call, gold
    if name.casefold() != wanted.casefold():
        return 0.0
    theirs = theirs or {}
    size = 2 + len(theirs)
    if own is None:  # they cannot be read
        return 1 / size
    hits = sum(key in own and same(own[key], value) for key, value in theirs.items())
    return (1 + jaccard(own, theirs) + hits) / size


def jaccard(one: Mapping[str, object], other: Mapping[str, object]) -> float:
    a, b = Counter(one.keys()), Counter(other.keys())
    union = (a | b).total()
    return (a & b).total() / union if union else 1.0


def same(one: object, other: object) -> bool:
    """Equal as JSON values: 1 and 1.0 are, True and 1 are not; the order of keys is free."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    return type(one) is type(other) and bool(one == other)


def toolrl(made: Sequence[Call], gold: Sequence[Call]) -> float:
    """ToolRL's correctness reward: names, names of parameters and values, scaled to -3 … 3."""
    a, b = Counter(name for name, _ in made), Counter(name for name, _ in gold)
    names = (a & b).total() / max((a | b).total(), 1)
    inner = [
        [
            jaccard(own or {}, theirs or {})
            + sum(k in (own or {}) and same((own or {})[k], v) for k, v in (theirs or {}).items())
            if name == wanted
            else 0.0
            for wanted, theirs in gold
        ]
        for name, own in made
    ]
    found = sum(inner[i][j] for i, j in enumerate(assigned(inner)) if j is not None)
    most = 1 + sum(1 + len(theirs or {}) for _, theirs in gold)
    return 6 * (names + found) / most - 3
