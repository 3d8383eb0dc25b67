"""A user's own grader: `module:function`, or `command: PROGRAM` that speaks JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import msgspec

from prmdata.errors import GraderError, UsageError
from prmdata.grading.workers import Crashed, Pool, TimedOut

GRADES = ("right", "wrong", "unparsed")


class FunctionGrader:
    """`function(answer, gold, problem)` in a worker; it returns a bool or a grade."""

    def __init__(self, target: str, timeout_s: float, workers: int) -> None:
        self._pool = Pool(target, workers, timeout_s)

    async def grade(self, answer: str | None, gold: str, problem: Mapping[str, Any]) -> str:
        try:
            said = await self._pool.call((answer, gold, dict(problem)))
        except TimedOut:
            return "timeout"
        except Crashed:
            raise GraderError(
                f"grader {self._pool.target} crashed on the answer {answer!r:.80}"
            ) from None
        if isinstance(said, bool):
            return "right" if said else "wrong"
        if said not in GRADES:
            raise GraderError(
                f"grader {self._pool.target} answered {said!r:.80}, which is neither a bool nor "
                f"one of {', '.join(GRADES)}"
            )
        return str(said)

    def close(self) -> None:
        self._pool.close()


class CommandGrader:
    """A long-lived program: a JSON line {answer, gold, problem} in, {grade} out."""

    def __init__(self, command: str, timeout_s: float) -> None:
        self._command = shlex.split(command)
        if not self._command:
            raise UsageError("--grader 'command: …' names no program")
        self._timeout_s = timeout_s
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def grade(self, answer: str | None, gold: str, problem: Mapping[str, Any]) -> str:
        asked = msgspec.json.encode({"answer": answer, "gold": gold, "problem": dict(problem)})
        async with self._turn:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(asked + b"\n")
                async with asyncio.timeout(self._timeout_s):
                    line = await process.stdout.readline()
            except TimeoutError:
                self.close()
                return "timeout"
            except ConnectionError:
                line = b""
            except asyncio.CancelledError:  # its answer would pass for the next one's
                self.close()
                raise
            if not line:
                raise GraderError(await self._last_words(process))
        return self._read(line)

    def _read(self, line: bytes) -> str:
        try:
            grade = msgspec.json.decode(line)["grade"]
        except (msgspec.DecodeError, KeyError, TypeError):
            grade = None
        if grade not in GRADES:
            raise GraderError(
                f"grader '{self._command[0]}' answered {line[:80]!r}; it must answer "
                '{"grade": "right" | "wrong" | "unparsed"}'
            )
        return str(grade)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            pipe = subprocess.PIPE
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=pipe, stdout=pipe, stderr=pipe
                )
            except OSError as error:
                raise UsageError(f"--grader: cannot start {self._command[0]}: {error}") from None
        return self._process

    async def _last_words(self, process: asyncio.subprocess.Process) -> str:
        assert process.stderr is not None
        said = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        self._process = None
        return f"grader '{self._command[0]}' ended: {said[-1] if said else 'it said nothing'}"

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
