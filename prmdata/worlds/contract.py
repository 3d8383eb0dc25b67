"""What a small world is: problems, what may be done, and an exact judgement of every action.

A state is never changed: an action makes the next one. So the environment that answers an action
and the oracle that judges it walk the same states, from the problem's own numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from prmdata.records import Problem

VERSION = 1
"""Changes when problems or judgements do."""
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """What becomes of an action."""

    state: S
    text: str
    """What the world answers."""
    right: bool
    note: str | None = None
    """Why it is wrong."""
    over: bool = False
    """Nothing more can be done."""


class World(Protocol[S]):
    name: ClassVar[str]
    tools: ClassVar[tuple[dict[str, Any], ...]]
    """Each with its name, its description, and its parameters by name."""

    def problem(self, seed: int, index: int) -> Problem: ...

    def start(self, problem: Problem) -> S: ...

    def act(self, state: S, arguments: Mapping[str, object], tool: str = "") -> Move[S]: ...

    def answered(self, state: S, text: str) -> tuple[bool, float]:
        """Of the last turn: whether the answer is right, and the reward of the whole."""
        ...


def made(
    world: str, seed: int, index: int, question: str, answer: str, numbers: Mapping[str, object]
) -> Problem:
    return Problem(
        id=f"{world}-{seed}-{index}",
        question=question,
        answer=answer,
        kind="text",
        context=dict(numbers),
        meta={"source": "worlds", "world": world, "seed": seed, "index": index, "version": VERSION},
    )


def whole(arguments: Mapping[str, object], name: str) -> int | None:
    """A whole number, also as text; `None` where it is none."""
    value = arguments.get(name)
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 10:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int else None
