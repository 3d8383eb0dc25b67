"""Your own environment: a program that speaks JSON lines, or a Python function.

It is asked `{"problem": {…}, "messages": [], "seed": 0}` for its tools and replies
`{"tools": […]}`; then, with the chat so far (it ends in a turn of the assistant), it replies
`{"messages": […], "reward": null, "done": false}`: what answers that turn, and at the end a reward
in [0, 1]. No messages, or done: the trace ends. It must give the same reply to the same question;
one that has a state works it out from the messages (docs/environments.md has the whole protocol).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from prmdata.environments.contract import Environment, Reply, Tool
from prmdata.errors import EnvironmentFailure, UsageError
from prmdata.grading.program import Ended, Program
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut
from prmdata.records import Message, Problem
from prmdata.settings import Amount, Count, Positive

Ask = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """Take it for environments that prmdata does not have: adapters are a page of code."""

    program: str
    """The command line, or `module:function` (called with a dict, in a process of its own)."""
    timeout_s: Positive = 60.0
    """Seconds for one answer."""
    start_s: Amount = 60.0
    """Seconds more that a process may take for its first answer."""
    workers: Count = 2
    """Processes that answer at the same time."""
    version: str = ""
    """Change it when the program answers otherwise than before: recorded answers are then not used.
    Files named in the command line are part of the version in any case."""
    replays: bool = True
    """Make the calls of a trace again before it is continued, and refuse to go on where an answer
    differs."""

    def __post_init__(self) -> None:
        if not self.program.strip():
            raise UsageError("environment 'command' needs a program: command:'PROGRAM ARGUMENT…'")

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        asking = _programs(self)
        async with asking as ask:
            yield _Open(self, f"command-1 {self.program} {_digest(self)}", ask)


@dataclass(frozen=True, slots=True)
class Function(Command):
    """Your own function, in processes of their own."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        pool = Pool(self.program, self.workers, self.timeout_s, self.timeout_s)

        async def ask(question: dict[str, object]) -> object:
            try:
                return await pool.call((question,))
            except TimedOut:
                raise EnvironmentFailure(f"took longer than {self.timeout_s:g} s") from None
            except Crashed:
                raise EnvironmentFailure("crashed") from None
            except Raised as error:
                raise EnvironmentFailure(f"raised {error}") from None

        try:
            yield _Open(self, f"function-1 {self.program} {self.version}", ask)
        finally:
            await pool.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    messages: tuple[dict[str, Any], ...] = ()
    reward: float | None = None
    done: bool = False
    state: str | None = None
    tools: tuple[dict[str, Any], ...] = ()


class _Open:
    speaks = True

    def __init__(self, settings: Command, identity: str, ask: Ask) -> None:
        self.identity, self.replays, self._ask = identity, settings.replays, ask
        self._name = settings.program

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        return (await self._asked(problem, (), 0)).tools

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        return [msgspec.to_builtins(problem), list(chat)]

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        said = await self._asked(problem, chat, seed)
        return Reply(said.messages, said.reward, said.done, said.state)

    async def _asked(self, problem: Problem, chat: Sequence[Message], seed: int) -> _Answer:
        question = {
            "problem": msgspec.to_builtins(problem),
            "messages": list(chat),
            "seed": seed,
        }
        try:
            answer = msgspec.convert(await self._ask(question), _Answer)
        except msgspec.ValidationError as error:
            raise EnvironmentFailure(f"environment {self._name}: {error}") from None
        except EnvironmentFailure as error:
            raise EnvironmentFailure(f"environment {self._name} {error}") from None
        for message in answer.messages:
            if message.get("role") not in ("tool", "user", "system"):
                role = str(message.get("role"))[:40]
                raise EnvironmentFailure(
                    f"environment {self._name} answers as '{role}', not as tool or user"
                )
        if answer.reward is not None and not 0 <= answer.reward <= 1:
            raise EnvironmentFailure(
                f"environment {self._name} gives a reward of {answer.reward:g}, not in [0, 1]"
            )
        return answer


@contextlib.asynccontextmanager
async def _programs(settings: Command) -> AsyncIterator[Ask]:
    idle: asyncio.Queue[Program] = asyncio.Queue()
    programs = [Program(settings.program, settings.start_s) for _ in range(settings.workers)]
    for program in programs:
        idle.put_nowait(program)

    async def ask(question: dict[str, object]) -> object:
        program = await idle.get()
        try:
            return await program.ask(msgspec.json.encode(question), settings.timeout_s, _decoded)
        except Ended as error:
            raise EnvironmentFailure(str(error)) from None
        finally:
            idle.put_nowait(program)

    try:
        yield ask
    finally:
        for program in programs:
            await program.close()


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Ended(f"answered {line[:80]!r}, which is not JSON") from None


def _digest(settings: Command) -> str:
    """The version, and what stands in the files that the command line names."""
    digest = hashlib.blake2b(settings.version.encode(), digest_size=8)
    for word in shlex.split(settings.program)[1:]:
        path = Path(word)
        if path.is_file() and path.stat().st_size <= 1 << 24:
            digest.update(path.read_bytes())
    return digest.hexdigest()
