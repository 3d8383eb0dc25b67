"""`python -m tests.warm.process SOCKET`: forks for each command that comes through the socket."""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
import threading
import traceback

LENGTH = struct.Struct("!I")
ROOM = 1 << 20
HIGH = 200
"""Above the numbers of files that a command is given."""
FOLDERS = ("cli", "stages", "labellers", "library", "report")
HEAVY = ("aiohttp", "jinja2", "pyarrow.parquet", "rich.live", "rich.table", "tokenizers")


def serve(place: str) -> None:
    """Until the process that started it closes its standard input."""
    warm()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(place)
        listener.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a command is forked, too
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener, 0], [], [])
            if 0 in readable:
                return
            link, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                break
            link.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    one(link)


def warm() -> None:
    for folder in FOLDERS:
        package = importlib.import_module(f"prmdata.{folder}")
        for module in pkgutil.iter_modules(package.__path__, f"prmdata.{folder}."):
            importlib.import_module(module.name)
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def one(link: socket.socket) -> None:
    """Become the command in one process, and wait for it in this one."""
    head, files, _, _ = socket.recv_fds(link, LENGTH.size, 64)
    (length,) = LENGTH.unpack(head)
    data = b""
    while len(data) < length:
        data += link.recv(ROOM)
    request = json.loads(data)
    child = os.fork()
    if child:
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        link.sendall(LENGTH.pack(code if code >= 0 else 128 - code))
        os._exit(0)
    link.close()
    place(files, request["files"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["prmdata", *request["words"]]
    leave(run())


def place(files: list[int], numbers: list[int]) -> None:
    """The files get the numbers that they had; a standard one that was closed is closed."""
    high = [os.dup2(file, HIGH + at) for at, file in enumerate(files)]
    for file in files:
        os.close(file)
    for file in {0, 1, 2} - set(numbers):
        os.close(file)
    for file, number in zip(high, numbers, strict=True):
        os.dup2(file, number)
        os.close(file)


def run() -> int:
    from prmdata.cli import main

    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001  what the interpreter would do
        traceback.print_exc()
        return 1
    return 0


def leave(status: int) -> None:
    """As the interpreter does, but without taking every module apart: that takes half a second."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        status = status or 120
    os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
