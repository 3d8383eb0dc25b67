"""A warm interpreter that forks for each run, so that a run starts in a millisecond.

It never runs foreign code, nor reads any: it forks a runner, which reads the request, forks the
process that runs the code (and one for its tests), answers, and ends. So no run finds anything of
another in its memory. Requests and answers are frames of JSON on two pipes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from prmdata.sandbox import (
    confine,
    frames,
    harness,
    judging,
    kernel,
    landlock,
    namespaces,
    serving,
)

WARM = (
    "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "heapq", "io", "itertools", "math", "numbers", "operator", "re",
    "statistics", "string", "textwrap", "typing",
)  # fmt: skip
"""Imported before the fork: what a model's code most often imports."""

SCRATCH_BYTES, SCRATCH_FILES = 16 << 20, 256
PARTING_S = 0.5
"""How long a program may take to end after its tests have."""

LOOK_S = 0.05
"""How often the scratch folder is measured where the kernel cannot bound it."""

OUTPUT_BYTES = 1 << 20
SEALED = 0b1111  # no further seal, no shrinking, growing or writing


def main() -> None:
    source, sink = _pipes()
    settings = json.loads(sys.argv[1])
    try:
        zygote = Zygote.prepared(**settings)
    except (OSError, ImportError) as error:
        _send(sink, {"failed": str(error)})
        return
    _send(sink, {"ready": True})
    own = os.getpid()
    while True:
        runner = os.fork()  # ahead of the request: it waits while nobody needs it
        if runner == 0:
            zygote.become_runner(own, source, sink)
        if os.waitpid(runner, 0)[1] != 0:
            return  # there are no more requests; or one was not answered, and we are found gone


@dataclass(slots=True)
class Zygote:
    scratch: Path
    rules: int | None
    watched: bool
    """The scratch folder is a plain one, whose size only looking tells."""

    base_bytes: int

    @classmethod
    def prepared(cls, layers: Sequence[str], readable: Sequence[str], scratch: str) -> Zygote:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        sizes = os.open("/proc/self/statm", os.O_RDONLY)
        apart = "namespaces" in layers
        if apart:
            namespaces.enter(readable, scratch, SCRATCH_BYTES)
        for name in WARM:
            importlib.import_module(name)
        rules = landlock.ruleset(readable, scratch) if "landlock" in layers else None
        os.chdir(scratch)
        harness.warm_up()
        confine.confine_zygote()
        gc.freeze()
        pages = int(os.pread(sizes, 100, 0).split()[0])
        return cls(Path(scratch), rules, not apart, pages * os.sysconf("SC_PAGE_SIZE"))

    def become_runner(self, zygote: int, source: int, sink: int) -> NoReturn:
        """One run's parent: it alone reads what the run is, and ends with it.

        So the zygote holds nothing of any run, and no run inherits anything of another.
        """
        status = 1
        try:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == zygote and (request := frames.receive(source)) is not None:
                _send(sink, self._run(source, **json.loads(request)))
                status = 0
        finally:
            os._exit(status)

    def _run(
        self, source: int, code: str, stdin: str, deadline_s: float, cpu_s: float,
        memory_mb: int, judged: bool,
    ) -> dict[str, object]:  # fmt: skip
        memory_bytes = self.base_bytes + (memory_mb << 20)
        limits = confine.Limits(cpu_s, memory_bytes, os.getpid())
        start = time.monotonic()
        out, err = _files(2)
        if judged:
            report, how = self._judged(
                source, (_sealed(stdin), out, err), limits, code, start + deadline_s
            )
        else:
            (report,) = _files(1)
            child = self._forked((_sealed(stdin), out, err, report), limits, harness.run, code)
            how = self._wait(child, start + deadline_s)
        seconds = time.monotonic() - start
        told = {"stdout": _content(out), "stderr": _content(err), "report": _content(report)}
        self._sweep()
        return {**told, "how": how, "seconds": seconds}

    def _judged(
        self, source: int, files: Sequence[int], limits: confine.Limits, code: str, deadline: float
    ) -> tuple[int, str]:
        """The program is forked before its tests are read: it has no memory of them."""
        ours, theirs = socket.socketpair()
        program = self._forked((*files, theirs.fileno()), limits, serving.serve, code)
        theirs.close()
        tests = json.loads(frames.receive(source) or b"")
        report, out, err = _files(3)
        judges = (_sealed(""), out, err, report, ours.fileno())
        limits = replace(limits, files=len(judges))
        judge = self._forked(judges, limits, judging.run, tests)
        ours.close()
        how = self._wait(judge, deadline)
        ended = _ended(program)
        return report, ended if how == "ok" and ended not in (None, "error") else how

    def _forked(
        self, files: Sequence[int], limits: confine.Limits, work: Callable[[Any], int], task: object
    ) -> int:
        child = os.fork()
        if child == 0:
            self._become(files, limits, work, task)
        return child

    def _become(
        self,
        files: Sequence[int],
        limits: confine.Limits,
        work: Callable[[object], int],
        task: object,
    ) -> NoReturn:
        """The child's whole life. Files move twice, for one may lie where another belongs."""
        status = harness.ERROR
        try:
            os.setsid()
            high = [fcntl.fcntl(file, fcntl.F_DUPFD, confine.OPEN_FILES // 2) for file in files]
            for place, file in enumerate(high):
                os.dup2(file, place)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            confine.confine(limits, self.rules)
            status = work(task)
        except OSError as error:
            os.write(2, f"the sandbox could not close: {error}".encode())
        finally:
            os._exit(status)

    def _wait(self, child: int, deadline: float) -> str:
        while True:
            left = max(0.0, deadline - time.monotonic())
            signal.sigtimedwait([signal.SIGCHLD], min(left, LOOK_S) if self.watched else left)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return _told(status)
            stop = "timeout" if time.monotonic() >= deadline else "killed"
            if stop == "timeout" or self._overfull():
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return stop

    def _overfull(self) -> bool:
        if not self.watched:
            return False
        size = 0
        for count, file in enumerate(self.scratch.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                size += file.lstat().st_blocks * 512
            if count >= SCRATCH_FILES or size > SCRATCH_BYTES:
                return True
        return False

    def _sweep(self) -> None:
        """Files only: code cannot make folders or links."""
        for file in self.scratch.iterdir():
            file.unlink()


def _ended(program: int) -> str | None:
    """How a program ended whose tests have; None where it had to be killed."""
    deadline = time.monotonic() + PARTING_S
    while (left := deadline - time.monotonic()) > 0:
        done, status = os.waitpid(program, os.WNOHANG)
        if done:
            return _told(status)
        signal.sigtimedwait([signal.SIGCHLD], min(left, LOOK_S))
    os.kill(program, signal.SIGKILL)
    os.waitpid(program, 0)
    return None


def _told(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) == signal.SIGXCPU else "killed"
    return {harness.OK: "ok", harness.MEMORY: "memory"}.get(os.WEXITSTATUS(status), "error")


def _sealed(text: str) -> int:
    """A file in memory that nobody can change any more."""
    file = os.memfd_create("in", os.MFD_ALLOW_SEALING)
    data = text.encode(errors="replace")
    while data:
        data = data[os.write(file, data) :]
    os.lseek(file, 0, os.SEEK_SET)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, SEALED)
    return file


def _files(count: int) -> list[int]:
    return [os.memfd_create("file") for _ in range(count)]


def _content(file: int) -> str:
    return os.pread(file, OUTPUT_BYTES, 0).decode(errors="replace")


def _pipes() -> tuple[int, int]:
    """Move the pipes away from 0 and 1, which children get their own files for."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return source, sink


def _send(sink: int, message: dict[str, object]) -> None:
    frames.send(sink, json.dumps(message).encode())
