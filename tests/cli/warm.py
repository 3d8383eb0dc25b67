"""The command line without its start-up: a process that has imported everything forks for each command.

    python -m tests.cli.warm SOCKET                 the process that forks
    python -I -S tests/cli/warm.py SOCKET WORD…     a command, as `prmdata WORD…` would run here

What runs is a process of its own with the files, folder, environment and words of the one that
asks; only the imports were done before. `test_the_program_starts_by_itself` starts it in the slow way.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys

if __name__ != "__main__" or len(sys.argv) == 2:
    import atexit
    import gc
    import threading
    import traceback

ROOM = 1 << 20
LENGTH = struct.Struct("!I")


def ask(place: str, words: list[str]) -> int:
    """Run it here, with this process's files and environment; its exit status."""
    files = [int(name) for name in os.listdir("/dev/fd")]
    files = [file for file in files if is_open(file)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.connect(place)
        folder = os.getcwd()  # noqa: PTH109  pathlib takes longer to import than all of this
        asked = {"words": words, "env": dict(os.environ), "folder": folder, "files": files}
        request = json.dumps(asked).encode()
        socket.send_fds(link, [LENGTH.pack(len(request))], files)
        link.sendall(request)
        answer = link.recv(LENGTH.size)
    if len(answer) < LENGTH.size:
        raise ConnectionError("the warm process is gone")
    return LENGTH.unpack(answer)[0]


def is_open(file: int) -> bool:
    """The listing of open files was one itself."""
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def serve(place: str) -> None:
    """Until the process that started it closes its standard input."""
    import select
    import signal

    warm()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(place)
        listener.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a command is forked, too
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
    import importlib
    import pkgutil

    for folder in ("cli", "stages", "labellers", "library", "report"):
        package = importlib.import_module(f"prmdata.{folder}")
        for module in pkgutil.iter_modules(package.__path__, f"prmdata.{folder}."):
            importlib.import_module(module.name)
    for name in ("aiohttp", "jinja2", "pyarrow.parquet", "rich.live", "rich.table", "tokenizers"):
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
    standard(files, request["files"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["prmdata", *request["words"]]
    leave(run())


def standard(files: list[int], numbers: list[int]) -> None:
    """The files get the numbers that they had; one of the standard ones that was closed is so."""
    high = [os.dup2(file, 200 + place) for place, file in enumerate(files)]
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
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        raise SystemExit(ask(sys.argv[1], sys.argv[2:]))
