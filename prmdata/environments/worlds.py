"""The small worlds: a hidden number, a small Sudoku, tests of broken machines, sums with a ledger.

Problems are made by the source `worlds:NAME:COUNT`; every action can be judged exactly
(`prmdata score --truth worlds`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prmdata.environments.contract import (
    Environment,
    Reply,
    Tool,
    calls_in,
    function,
    results,
)
from prmdata.records import Message, Problem, Step, content_of
from prmdata.worlds import played, world_of
from prmdata.worlds.contract import VERSION


@dataclass(frozen=True, slots=True)
class Worlds:
    """Take it to measure methods on agents where the truth of every action is known."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        yield _Open()


class _Open:
    identity = f"worlds-{VERSION}"
    speaks = True
    replays = False

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        return [
            function(tool["name"], tool["description"], **tool["parameters"])
            for tool in world_of(problem).tools
        ]

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        said = [content_of(m) for m in chat[-1:] if not m.get("tool_calls")]
        return [problem.id, problem.context, [m.get("tool_calls") for m in chat], said]

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        del seed
        turns = [Step("", messages=(m,)) for m in chat if m.get("role") == "assistant"]
        calls = [call for turn in turns for call in turn.calls]
        state, moves = played(problem, calls)
        own = turns[-1].calls
        if not own:
            _, reward = world_of(problem).answered(state, content_of(chat[-1]))
            return Reply(reward=reward, done=True, state=str(state))
        last = moves[len(moves) - len(own) :]
        read = calls_in(chat[-1], await self.tools(problem))
        texts = [
            f"error: {call.fault or 'this is no action here'}" if move is None else move.text
            for call, move in zip(read, last, strict=True)
        ]
        over = any(move is not None and move.over for move in last)
        return Reply(
            results(list(zip(read, texts, strict=True))),
            reward=0.0 if over else None,
            done=over,
            state=str(state),
        )
