"""A warm interpreter that forks once per run, so that a run starts in a millisecond.

It never runs foreign code itself. Requests and answers are frames of JSON on its two pipes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from prmdata.sandbox import confine, frames, harness, kernel, landlock, namespaces

WARM = (
    "bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "heapq", "io", "itertools", "math", "numbers", "operator", "re",
    "statistics", "string", "textwrap", "typing",
)  # fmt: skip
"""Imported before the fork: what a model's code most often imports."""

SCRATCH_BYTES, SCRATCH_FILES = 16 << 20, 256
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
    while (request := frames.receive(source)) is not None:
        _send(sink, zygote.run(**json.loads(request)))


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

    def run(self, code: str, stdin: str, deadline_s: float, memory_mb: int) -> dict[str, Any]:
        memory_bytes = self.base_bytes + (memory_mb << 20)
        limits = confine.Limits(deadline_s, memory_bytes, os.getpid())
        files = [_sealed(stdin), *(os.memfd_create(name) for name in ("out", "err", "report"))]
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            self._become(files, limits, code)
        how = self._wait(child, start + deadline_s)
        seconds = time.monotonic() - start
        out, err, report = (_content(file) for file in files[1:])
        for file in files:
            os.close(file)
        self._sweep()
        return {"stdout": out, "stderr": err, "report": report, "how": how, "seconds": seconds}

    def _become(self, files: Sequence[int], limits: confine.Limits, code: str) -> None:
        """The child's whole life. Files move twice, for one may lie where another belongs."""
        status = harness.ERROR
        try:
            os.setsid()
            high = [os.dup(file) for file in files]
            for place, file in enumerate(high):
                os.dup2(file, place)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            confine.confine(limits, self.rules)
            status = harness.run(code)
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


def _content(file: int) -> str:
    return os.pread(file, OUTPUT_BYTES, 0).decode(errors="replace")


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from 0 and 1, which children get their own files for."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return source, sink


def _send(sink: BinaryIO, message: dict[str, Any]) -> None:
    frames.send(sink, json.dumps(message).encode())
