"""A user's long-lived program: a line in, a line out, started when first asked and after it died.

It has a process group of its own, which is killed with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from typing import TypeVar

from prmdata.errors import UsageError

T = TypeVar("T")
LONGEST_LINE = 64 << 20


class Ended(Exception):
    """Why there is no answer, or none that can be read."""


class TookTooLong(Ended):
    """It was killed, and starts anew when asked again."""


class Program:
    def __init__(self, command: str, start_s: float) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"{command}: {error}") from None
        if not self._words:
            raise UsageError("the command is empty; write 'PROGRAM ARGUMENT…'")
        self._start_s = start_s
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._said = b""
        """The end of what it wrote on stderr."""

    async def ask(self, line: bytes, timeout_s: float, read: Callable[[bytes], T]) -> T:
        """The answer as `read` reads it; where it raises, the program starts anew."""
        async with self._turn:
            fresh = self._process is None
            process = self._process or await self._started()
            limit = timeout_s + (self._start_s if fresh else 0.0)
            try:
                async with asyncio.timeout(limit):
                    return read(await self._exchange(process, line))
            except TimeoutError:
                await self.close()
                raise TookTooLong(f"took longer than {limit:g} s") from None
            except BaseException:
                await self.close()
                raise

    async def _exchange(self, process: asyncio.subprocess.Process, line: bytes) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):  # that it is dead, its silence says
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
        try:
            answer = await process.stdout.readline()
        except ValueError:
            raise Ended(f"answered with a line longer than {LONGEST_LINE} bytes") from None
        if not answer.endswith(b"\n"):
            raise Ended(await self._last_words(process))
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        self._said = b""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        except OSError as error:
            raise UsageError(f"cannot start {self._words[0]}: {error}") from None
        self._process = process
        self._listening = asyncio.create_task(self._listen(process))
        return process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while words := await process.stderr.read(4096):
            self._said = (self._said + words)[-2000:]

    async def _last_words(self, process: asyncio.subprocess.Process) -> str:
        """After its stdout has ended: its status and its last line on stderr."""
        _kill_group(process)
        status = await process.wait()
        if self._listening is not None:
            await self._listening
        lines = self._said.decode(errors="replace").strip().splitlines()
        how = f"ended (status {status})" if status != -signal.SIGKILL else "ended"
        return f"{how}: {lines[-1][:200]}" if lines else how

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _kill_group(process)
        await process.wait()
        if self._listening is not None:
            await self._listening


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
