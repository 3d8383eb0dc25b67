"""Attacks that a sandbox has to stop here and now before it is trusted with anything else."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prmdata.sandbox.result import Request, run_in
from prmdata.sandbox.worker import Worker

STOPPED, SUCCEEDED = "stopped", "succeeded"

ATTACKS = """
import ctypes, os, signal, socket
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()

def call(name, *words):
    if getattr(libc, name)(*words) < 0:
        raise OSError(ctypes.get_errno(), name)

def fork():
    if os.fork() == 0:
        os._exit(0)

attacks = {{
    "read a file": lambda: open({secret!r}).read(),
    "write a file": lambda: open({target!r}, "w"),
    "truncate a file": lambda: os.truncate({secret!r}, 0),
    "list a folder": lambda: os.listdir(os.path.dirname({secret!r})),
    "read the parent's environment": lambda: open(f"/proc/{{parent}}/environ", "rb").read(),
    "write the parent's memory": lambda: open(f"/proc/{{parent}}/mem", "r+b"),
    "trace the parent": lambda: call("ptrace", 0x4206, parent, 0, 0),
    "signal the parent": lambda: os.kill(parent, signal.SIGCONT),
    "connect": lambda: socket.create_connection(("127.0.0.1", {port}), 1),
    "fork": fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "enter a namespace": lambda: call("unshare", 0x10000000),
    "make an io_uring": lambda: call("syscall", 425, 1, ctypes.create_string_buffer(200)),
}}
found = {{}}
for name, attack in attacks.items():
    try:
        attack()
        found[name] = {succeeded!r}
    except Exception as error:
        found[name] = {stopped!r} + f" ({{type(error).__name__}})"
found
"""
BOMB = "x = bytearray(1 << 30)"
LOOP = "while True: pass"
LOOP_S = 0.05


async def probe(worker: Worker) -> dict[str, str]:
    """Attack → whether it was stopped, and by which error."""
    found: dict[str, str] = {}
    with _surroundings() as code:
        told = await run_in(worker, Request(code, 5.0, 256))
    if told.exit == "ok" and isinstance(told.value, dict):
        found |= {str(name): str(what) for name, what in told.value.items()}
    else:
        found["attack"] = f"not tried: {told.exit} {told.stderr.strip()[-200:]}"
    bomb = await run_in(worker, Request(BOMB, 5.0, 128))
    found["take memory"] = STOPPED if bomb.exit == "memory" else f"{SUCCEEDED} ({bomb.exit})"
    loop = await run_in(worker, Request(LOOP, LOOP_S, 128))
    found["never end"] = STOPPED if loop.exit == "timeout" else f"{SUCCEEDED} ({loop.exit})"
    return found


@contextmanager
def _surroundings() -> Iterator[str]:
    """A file, a folder and a server to attack, all of our own making."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        secret = Path(folder) / "secret"
        secret.write_text(secrets.token_hex())
        yield ATTACKS.format(
            secret=str(secret),
            target=str(Path(folder) / "target"),
            port=server.getsockname()[1],
            stopped=STOPPED,
            succeeded=SUCCEEDED,
        )
