"""Small worlds in which an agent acts, and every action can be judged exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prmdata.errors import InputError, unknown
from prmdata.records import Problem, Step, Verdict, content_of
from prmdata.turns import arguments_of
from prmdata.worlds.constraint import Constraint
from prmdata.worlds.contract import VERSION, Move, World
from prmdata.worlds.ledger import Ledger
from prmdata.worlds.posterior import Posterior
from prmdata.worlds.search import Search

__all__ = ["SMALL", "WORLDS", "Judged", "World", "judge", "played", "world_of"]

WORLDS: dict[str, World[Any]] = {
    "constraint": Constraint(),
    "ledger": Ledger(),
    "posterior": Posterior(),
    "search": Search(),
}
SMALL = ("constraint", "posterior", "search")
"""The worlds that the scripted player knows."""


@dataclass(frozen=True, slots=True)
class Judged:
    verdicts: tuple[Verdict, ...]
    notes: tuple[str | None, ...]


def world_of(problem: Problem) -> World[object]:
    name = problem.meta.get("world")
    if problem.meta.get("source") != "worlds" or not isinstance(name, str):
        raise InputError(f"problem {problem.id} is of none of the worlds {', '.join(WORLDS)}")
    if problem.meta.get("version") != VERSION:
        raise InputError(
            f"problem {problem.id} is of version {problem.meta.get('version')} of the worlds, "
            f"this is {VERSION}; make it again"
        )
    if name not in WORLDS:
        raise unknown("world", name, WORLDS)
    return WORLDS[name]


def played(
    problem: Problem, calls: Sequence[Mapping[str, object]]
) -> tuple[object, list[Move[object] | None]]:
    """The state after some calls, and what became of each; nothing where it was no move."""
    world = world_of(problem)
    state, moves = world.start(problem), list[Move[Any] | None]()
    tools = {tool["name"] for tool in world.tools}
    for call in calls:
        arguments = arguments_of(call)
        tool = str(call.get("name"))
        if tool not in tools or not isinstance(arguments, Mapping):
            moves.append(None)
            continue
        move = world.act(state, arguments, tool)
        moves.append(move)
        state = move.state
    return state, moves


def judge(problem: Problem, steps: Sequence[Step]) -> Judged:
    """A turn is right where each of its actions is; the last one, where its answer is."""
    world = world_of(problem)
    calls = [call for step in steps for call in step.calls]
    state, moves = played(problem, calls)
    verdicts, notes, place = list[Verdict](), list[str | None](), 0
    for step in steps:
        own = moves[place : place + len(step.calls)]
        place += len(step.calls)
        wrong = next((move for move in own if move is None or not move.right), None)
        if own:
            fine = all(move is not None and move.right for move in own)
            verdicts.append("right" if fine else "wrong")
            notes.append(
                None if fine else (wrong.note if wrong else "it is no action of this world")
            )
        else:
            said = content_of(step.messages[0]) if step.messages else step.text
            right = step is steps[-1] and world.answered(state, said)[0]
            verdicts.append("right" if right else "wrong")
            notes.append(None if right else "the answer is not right here")
    return Judged(tuple(verdicts), tuple(notes))
