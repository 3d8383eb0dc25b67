"""What lies around a sandbox for an attack to reach, and whether it was reached."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROLOGUE = """
import ctypes, errno, fcntl, io, mmap, os, platform, resource, signal, socket, struct, sys, time
X86 = platform.machine() == "x86_64"
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *words):
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in words]
    result = getattr(libc, name)(*words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def syscall(x86, arm, *words):
    return call("syscall", x86 if X86 else arm, *words)
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    canary: str
    """In a file, in the environment, and nowhere in what a run gives back."""

    folder: Path
    victim: subprocess.Popen[bytes]
    server: socket.socket
    datagrams: socket.socket
    abstract: socket.socket
    named: socket.socket

    @property
    def prologue(self) -> str:
        names = {
            "SECRET": str(self.folder / "secret"),
            "TARGET": str(self.folder / "target"),
            "VICTIM": self.victim.pid,
            "PORT": self.server.getsockname()[1],
            "UDP_PORT": self.datagrams.getsockname()[1],
            "ABSTRACT": self.abstract.getsockname(),
            "NAMED": self.named.getsockname(),
        }
        return PROLOGUE + "".join(f"{name} = {value!r}\n" for name, value in names.items())

    def harm(self) -> str:
        """What has changed out here, or nothing."""
        secret = self.folder / "secret"
        if not secret.exists() or secret.read_text() != self.canary:
            return "the secret file was changed"
        if secret.stat().st_mode & 0o777 != 0o600:
            return "the secret file's mode was changed"
        if (self.folder / "target").exists():
            return "a file was written outside"
        if self.victim.poll() is not None or process_state(self.victim.pid) not in "SRD":
            return "a neighbour was killed or stopped"
        return "somebody called" if self._heard() else ""

    def _heard(self) -> bool:
        return any(_ready(one) for one in (self.server, self.datagrams, self.abstract, self.named))


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    canary = secrets.token_hex(16)
    os.environ["PRMDATA_CANARY"] = canary
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "secret").write_text(canary)
        (folder / "secret").chmod(0o600)
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        victim = stack.enter_context(subprocess.Popen(sleep))
        stack.callback(victim.kill)
        sockets = [
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0prmdata-{canary[:8]}"),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        ]
        listening = [stack.enter_context(_listening(*one)) for one in sockets]
        yield Surroundings(canary, folder, victim, *listening)


def process_state(pid: int) -> str:
    """One letter, as in `ps`; `X` for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def processes(scratch: str) -> list[int]:
    """A zygote and all that it forked: none can change its command line, which names its folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if scratch.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def _listening(family: int, kind: int, address: object) -> socket.socket:
    server = socket.socket(family, kind)
    server.bind(address)  # type: ignore[arg-type]
    if kind == socket.SOCK_STREAM:
        server.listen()
    server.setblocking(False)
    return server


def _ready(server: socket.socket) -> bool:
    try:
        server.accept() if server.type == socket.SOCK_STREAM else server.recv(1)
    except BlockingIOError:
        return False
    return True
