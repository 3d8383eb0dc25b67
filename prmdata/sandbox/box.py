"""Run Python that a model wrote, on a machine that holds other things."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from prmdata.errors import SandboxError, UsageError
from prmdata.sandbox.level import Level, reached
from prmdata.sandbox.result import Request, Result, run_in
from prmdata.sandbox.worker import Worker
from prmdata.tasks import together

LONGEST_S, MOST_MB = 86_400, 1 << 20
WALL = 10.0
"""Seconds on the clock for each second of processor time, where tests judge."""


class Sandbox:
    """`async with Sandbox() as box: result = await box.run("1 + 1")`.

    `level` is `auto` for the strongest that holds here, or the name of one. One run has one
    process, one thread, no network and one folder.
    """

    def __init__(self, level: str = "auto", workers: int = 2) -> None:
        if workers < 1:
            raise UsageError(f"a sandbox needs at least one worker, not {workers}")
        self._wanted = level
        self._size = workers
        self._level: Level | None = None
        self._workers: list[Worker] = []
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()

    @property
    def level(self) -> Level:
        return self._opened()

    async def __aenter__(self) -> Self:
        self._level = await reached(self._wanted)
        self._idle = asyncio.Queue()
        self._workers = [Worker(self._level.layers) for _ in range(self._size)]
        for worker in self._workers:
            self._idle.put_nowait(worker)
        try:
            await together(*(worker.started() for worker in self._workers))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._level = None
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def run(
        self, code: str, stdin: str = "", deadline_s: float = 5.0, memory_mb: int = 512
    ) -> Result:
        check_limits(deadline_s, memory_mb)
        return await self._run(Request(code, deadline_s, memory_mb, stdin))

    async def judge(
        self, program: str, tests: dict[str, Any], cpu_s: float = 5.0, memory_mb: int = 512
    ) -> Result:
        """Whether a program passes tests, which run in a process of their own: the value.

        The limit is processor time; the clock ends only what waits, far later.
        """
        check_limits(cpu_s * WALL, memory_mb)
        return await self._run(Request(program, cpu_s * WALL, memory_mb, cpu_s=cpu_s), tests)

    async def _run(self, request: Request, tests: dict[str, object] | None = None) -> Result:
        self._opened()
        worker = await self._idle.get()
        try:
            self._opened()  # it may have been closed while we waited
            return await run_in(worker, request, tests)
        finally:
            self._idle.put_nowait(worker)

    def _opened(self) -> Level:
        if self._level is None:
            raise SandboxError("the sandbox is closed; open it with `async with`")
        return self._level


def check_limits(deadline_s: float, memory_mb: int) -> None:
    if not 0 < deadline_s <= LONGEST_S:
        raise UsageError(f"a deadline is more than 0 and at most {LONGEST_S} s, not {deadline_s}")
    if not 0 < memory_mb <= MOST_MB:
        raise UsageError(f"memory is more than 0 and at most {MOST_MB} MB, not {memory_mb}")
