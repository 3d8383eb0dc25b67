"""Asks your own oracle about every step (Verifiable Process Rewards).

The oracle is a program that speaks JSON lines, or a Python function.

It receives {question, answer, gold, steps, kinds, tools, results, context} and returns
{"verdicts": ["right" | "wrong" | "unknown", …], "notes": […]}. Each of these lists has one entry
per step: its text, its kind (thought, code, tool_call, observation, answer), the call of the tool
that it made (a list where one turn makes several), and what answered it (results of tools, words of
the user); the last two are null where a step does not act.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from prmdata.errors import ItemError, UsageError
from prmdata.grading.program import Ended, Program
from prmdata.grading.workers import Crashed, Pool, Raised, TimedOut
from prmdata.records import Step, Trace, Verdict
from prmdata.settings import Amount, Positive, settings_of
from prmdata.turns import arguments_of
from prmdata.verifiers.contract import Finding, Ready


@dataclass(frozen=True, slots=True)
class Oracle:
    """Asks your own program or function about every trace."""

    command: str = ""
    """A program that stays up for the whole run and answers each line of JSON with one."""
    callable: str = ""
    """`module:function`, called with a dict, in a process of its own."""
    timeout_s: Positive = 10.0
    """Seconds for one trace."""
    start_s: Amount = 60.0
    """Seconds more that a process may take for its first answer."""

    def __post_init__(self) -> None:
        if bool(self.command) == bool(self.callable):
            raise UsageError(
                "oracle: give --set command='python my_oracle.py' or --set callable=module:function"
            )

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Ready]:
        oracle = _Function(self) if self.callable else _Command(self)

        async def verify(trace: Trace) -> list[Finding]:
            try:
                return await oracle.answer(_question(trace), len(trace.steps))
            except Ended as error:
                raise ItemError(f"the oracle {error} (trace {trace.id})") from None

        try:
            yield Ready(verify, settings_of(self))
        finally:
            await oracle.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    verdicts: list[Verdict]
    notes: list[str | None] = field(default_factory=list)


def _question(trace: Trace) -> dict[str, object]:
    return {
        "question": trace.problem.question,
        "answer": trace.answer,
        "gold": trace.problem.answer,
        "steps": [step.text for step in trace.steps],
        "kinds": [step.kind for step in trace.steps],
        "tools": [_tool(step) for step in trace.steps],
        "results": [step.observation for step in trace.steps],
        "context": trace.problem.context,
    }


def _tool(step: Step) -> object:
    """Its call of a tool; a list where one turn makes several."""
    calls = [{**call, "arguments": arguments_of(call)} for call in step.calls]
    if step.tool is not None or len(calls) < 2:
        return step.tool or (calls[0] if calls else None)
    return calls


def _findings(reply: object, steps: int) -> list[Finding]:
    try:
        answer = msgspec.convert(reply, _Answer)
    except msgspec.ValidationError as error:
        raise Ended(f"answered {str(reply)[:80]!r}: {error}") from None
    notes = answer.notes or [None] * steps
    if len(answer.verdicts) != steps or len(notes) != steps:
        raise Ended(
            f"gave {len(answer.verdicts)} verdicts and {len(answer.notes)} notes for {steps} steps"
        )
    return [Finding(verdict, note) for verdict, note in zip(answer.verdicts, notes, strict=True)]


def _read(line: bytes, steps: int) -> list[Finding]:
    try:
        return _findings(msgspec.json.decode(line), steps)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Ended(f"answered {line[:80]!r}, which is not JSON") from None


class _Process(Protocol):
    async def answer(self, question: dict[str, object], steps: int) -> list[Finding]: ...

    async def close(self) -> None: ...


class _Command:
    def __init__(self, settings: Oracle) -> None:
        self._timeout_s = settings.timeout_s
        self._program = Program(settings.command, settings.start_s)

    async def answer(self, question: dict[str, object], steps: int) -> list[Finding]:
        line = msgspec.json.encode(question)
        return await self._program.ask(line, self._timeout_s, lambda reply: _read(reply, steps))

    async def close(self) -> None:
        await self._program.close()


class _Function:
    def __init__(self, settings: Oracle) -> None:
        self._pool = Pool(settings.callable, timeout_s=settings.timeout_s)

    async def answer(self, question: dict[str, object], steps: int) -> list[Finding]:
        try:
            return _findings(await self._pool.call((question,)), steps)
        except TimedOut:
            raise Ended(f"took longer than {self._pool.timeout_s:g} s") from None
        except Crashed:
            raise Ended("crashed") from None
        except Raised as error:
            raise Ended(f"raised {error}") from None

    async def close(self) -> None:
        await self._pool.close()
