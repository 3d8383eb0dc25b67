"""An environment behind the store: what it answered once it is never asked again."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from prmdata.environments import Environment, Reply, Tool
from prmdata.errors import EnvironmentFailure
from prmdata.records import Message, Problem
from prmdata.sampler.protocol import Completion
from prmdata.sampler.storage.store import Store

T = TypeVar("T")


class Recorded:
    """The environment, with its answers kept; counts what was asked and what the store served."""

    def __init__(self, inner: Environment, store: Store | None, longest: int = 20_000) -> None:
        """`longest`: characters of one message; the rest is cut off, and the message says so."""
        self.longest = longest
        self.identity, self.speaks, self.replays = inner.identity, inner.speaks, inner.replays
        self.counts: Counter[str] = Counter()
        self._inner, self._store = inner, store
        self._in_flight: dict[str, asyncio.Future[None]] = {}

    async def tools(self, problem: Problem) -> tuple[Tool, ...]:
        async def asked() -> tuple[Tool, ...]:
            return tuple(await self._inner.tools(problem))

        key = self._key("tools", msgspec.to_builtins(problem))
        return await self._kept(key, asked, tuple[dict[str, Any], ...])

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        key = self._key("answer", [self._inner.key(problem, chat), seed])
        return await self._kept(key, lambda: self._asked(problem, chat, seed), Reply)

    async def _asked(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        reply = await self._inner.answer(problem, chat, seed)
        return replace(reply, messages=tuple(map(self._bounded, reply.messages)))

    def _bounded(self, message: Message) -> Message:
        text = message.get("content")
        if not isinstance(text, str) or len(text) <= self.longest:
            return message
        self.counts["observations_cut"] += 1
        over = len(text) - self.longest
        return {**message, "content": f"{text[: self.longest]}… [{over:,} characters more]"}

    async def agrees(self, problem: Problem, chat: Sequence[Message], seed: int) -> None:
        """See that the environment still answers the turns of a chat as it did there."""
        places = [i for i, message in enumerate(chat) if message.get("role") == "assistant"]
        for place, end in itertools.pairwise([*places, len(chat)]):
            recorded = chat[place + 1 : end]
            if recorded and (self.speaks or chat[place].get("tool_calls")):
                await self._agrees(problem, chat[: place + 1], recorded, seed)

    async def _agrees(
        self, problem: Problem, chat: Sequence[Message], recorded: Sequence[Message], seed: int
    ) -> None:
        async def asked() -> Reply:
            self.counts["environment_replays"] += 1
            return await self._asked(problem, chat, seed)

        key = self._key("again", [list(chat), msgspec.to_builtins(problem), seed])
        reply = await self._kept(key, asked, Reply)
        if [m.get("content") for m in reply.messages] != [m.get("content") for m in recorded]:
            raise EnvironmentFailure(
                "the environment answers a call of this trace otherwise than it did then, so its "
                f"steps cannot be continued (problem {problem.id}, message {len(chat)}: recorded "
                f"{_short(recorded)}, now {_short(reply.messages)}). Its answers must depend on "
                "the problem, the messages and the seed alone"
            )

    def _key(self, kind: str, asked: object) -> str:
        parts = msgspec.json.encode([kind, self.identity, self.longest, asked])
        return hashlib.blake2b(parts, digest_size=16).hexdigest()

    async def _kept(self, key: str, ask: Callable[[], Awaitable[T]], form: type[T]) -> T:
        """From the store; where another asks the same just now, from there."""
        if self._store is None:
            self.counts["environment_calls"] += 1
            return await ask()
        while True:
            if (known := self._store.get(key)) is not None:
                self.counts["environment_served"] += 1
                return msgspec.json.decode(known.text, type=form)
            if key not in self._in_flight:
                break
            await asyncio.wait([self._in_flight[key]])
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = landed
        try:
            self.counts["environment_calls"] += 1
            reply = await ask()
            self._store.put([(key, Completion(msgspec.json.encode(reply).decode(), 0, "stop"))])
            return reply
        finally:
            del self._in_flight[key]
            landed.set_result(None)


def _short(messages: Sequence[Message]) -> str:
    return repr(" ".join(str(message.get("content")) for message in messages))[:120]
