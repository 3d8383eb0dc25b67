"""A pool of our own worker processes: a task that hangs or crashes costs itself and nothing else.

A task is given processor time, so that a busy machine changes no verdict; the clock ends only what
waits for something. The kernel counts and kills, also where C code cannot be interrupted.
`concurrent.futures` cannot kill a worker, and a crash there loses every task in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from prmdata.errors import GraderError, UsageError
from prmdata.sandbox import frames

MEMORY_BYTES = 2 << 30
START_SECONDS = 60.0
WALL = 10.0
"""Seconds on the clock for each second of processor time, where nothing else is said."""


class TimedOut(Exception):
    """The task used up its time; its worker was killed."""


class Crashed(Exception):
    """The worker died of this task."""


class Raised(Exception):
    """The task raised this; its worker is well."""


class Pool:
    """Calls `module:function` with plain data: one task a worker, `size` workers.

    `timeout_s` is processor time; on the clock, a task may take `wall_s`.
    """

    def __init__(
        self, target: str, size: int = 1, timeout_s: float = 1.0, wall_s: float | None = None
    ) -> None:
        self.target = target
        self.timeout_s = timeout_s
        self._limits = timeout_s, WALL * timeout_s if wall_s is None else wall_s
        self._size = size
        self._idle: asyncio.Queue[_Worker] | None = None
        self._all: list[_Worker] = []

    async def call(self, arguments: Sequence[object]) -> Any:
        if self._idle is None:
            self._idle = asyncio.Queue()
            self._all = [_Worker(self.target) for _ in range(self._size)]
            for worker in self._all:
                self._idle.put_nowait(worker)
        worker = await self._idle.get()
        try:
            return await worker.call(arguments, *self._limits)
        except Raised:
            raise
        except BaseException:
            worker.kill()
            raise
        finally:
            self._idle.put_nowait(worker)

    async def close(self) -> None:
        """Returns when the processes are gone."""
        workers = self._all
        self._idle, self._all = None, []
        for worker in workers:
            await worker.stop()


class _Worker:
    """One process, started when first needed and again after it was killed."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._process: asyncio.subprocess.Process | None = None
        self._killed: asyncio.subprocess.Process | None = None

    async def call(self, arguments: Sequence[object], timeout_s: float, wall_s: float) -> object:
        process = await self._started()
        assert process.stdin is not None
        process.stdin.write(frames.framed(pickle.dumps((timeout_s, arguments))))
        try:
            async with asyncio.timeout(wall_s):
                status, value = pickle.loads(await frames.answer(process))
        except TimeoutError:
            raise TimedOut from None
        except (asyncio.IncompleteReadError, ConnectionError):
            ended = await process.wait()
            raise (TimedOut if ended == -signal.SIGPROF else Crashed) from None
        if status == "error":
            raise Raised(value)
        return value

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            isolation = ["-P"] if ours(self._target) else []
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *isolation,
                "-c",
                "import sys; from prmdata.grading.workers import serve; serve(sys.argv[1])",
                self._target,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(START_SECONDS):
                    status, value = pickle.loads(await frames.answer(self._process))
            except (TimeoutError, asyncio.IncompleteReadError):
                raise GraderError(
                    f"the worker for {self._target} did not start; where it said nothing, the "
                    f"machine may be too busy (it has {START_SECONDS:g} s)"
                ) from None
            if status == "error":
                raise UsageError(value)
        return self._process

    def kill(self) -> None:
        process, self._process = self._process, None
        self._killed = process or self._killed
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            frames.let_go(process)

    async def stop(self) -> None:
        self.kill()
        if self._killed is not None:
            await self._killed.wait()


def serve(target: str) -> None:
    """The worker's side: read a task, answer, until the parent closes the pipe."""
    import importlib
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # whatever the task prints goes to stderr, never into the answers
    try:
        name, _, function_name = target.partition(":")
        module = importlib.import_module(name)
        function = getattr(module, function_name)
        if ours(target):
            module.warm_up()
    except Exception as error:  # noqa: BLE001  a module may raise anything; the parent tells it
        hint = "install prmdata again" if ours(target) else f"try: python -c 'import {name}'"
        told = f"cannot load {target}: {type(error).__name__}: {error}; {hint}"
        frames.send(sink, pickle.dumps(("error", told)))
        return
    frames.send(sink, pickle.dumps(("ready", None)))
    while (asked := frames.receive(source)) is not None:
        timeout_s, arguments = pickle.loads(asked)
        try:
            signal.setitimer(signal.ITIMER_PROF, timeout_s)  # its signal ends the process
            answer = ("done", function(*arguments))
        except MemoryError:
            os._exit(1)  # what fills this process would fail the tasks that follow
        except BaseException as error:  # noqa: BLE001  told to the parent, which raises it
            answer = ("error", f"{type(error).__name__}: {error}"[:500])
        signal.setitimer(signal.ITIMER_PROF, 0)
        frames.send(sink, pickle.dumps(answer))


def ours(target: str) -> bool:
    """Our modules have a `warm_up`, and no business with modules of the current folder."""
    return target.startswith("prmdata.")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
