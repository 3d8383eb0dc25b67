"""prmdata's command line in processes that start at once: forks of one that has it imported."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60.0
"""A run of the soak takes a second or two: one that takes this long hangs."""


_SAID: list[str] = []


def said_since() -> str:
    """What all processes said since this was last asked."""
    text = "\n".join(_SAID)
    _SAID.clear()
    return text


class Hung(Exception):
    pass


@dataclass
class Process:
    words: list[str]
    pid: int
    errors: int
    """A pipe: a file could not grow where the disk is full."""
    status: int | None = None
    said: str = ""

    def wait(self, seconds: float = PATIENCE_S) -> int | None:
        """The exit status, or `None` where it still runs after so many seconds."""
        ends = time.monotonic() + seconds
        while self.status is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
                with os.fdopen(self.errors, errors="replace") as said:
                    self.said = said.read()
                _SAID.append(f"{' '.join(self.words)}: {self.status}\n{self.said}")
            elif time.monotonic() > ends:
                break
            else:
                time.sleep(0.003)
        return self.status

    def finish(self) -> int:
        if self.wait() is None:
            os.kill(self.pid, signal.SIGABRT)  # which says where it hangs
            self.wait(5)
            self.kill()
            raise Hung(" ".join(self.words))
        assert self.status is not None
        return self.status

    def kill(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


def start(
    folder: Path, words: list[str], *, stdin: int = -1, stdout: int = -1, file_bytes: int = -1
) -> Process:
    """Begin a command in a folder; `file_bytes`: how large a file may grow, as on a full disk."""
    errors, said = os.pipe()
    pid = os.fork()
    if pid:
        os.close(said)
        return Process(words, pid, errors)
    try:
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing if stdin < 0 else stdin, 0)
        os.dup2(nothing if stdout < 0 else stdout, 1)
        os.dup2(said, 2)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        if file_bytes >= 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        _run(words)
    finally:
        os._exit(99)


def _run(words: list[str]) -> None:
    from prmdata.cli import main

    faulthandler.enable(file=2)
    sys.argv = ["prmdata", *words]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in enumerate("rww"))
    code: object = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  what a user would see of it is what is judged
        import traceback

        traceback.print_exc()
    try:
        sys.stderr.flush()
        sys.stdout.flush()
    except OSError:
        pass
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def pipe(folder: Path, stages: list[list[str]]) -> list[Process]:
    """The stages of a pipe, all begun; the last one has no output but its own."""
    running, before = [], -1
    for number, words in enumerate(stages):
        after, out = os.pipe() if number < len(stages) - 1 else (-1, -1)
        running.append(start(folder, words, stdin=before, stdout=out))
        for file in (before, out):
            if file >= 0:
                os.close(file)
        before = after
    return running
