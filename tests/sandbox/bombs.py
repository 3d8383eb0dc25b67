"""Attacks that take too much, that will not end, and that lie about how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ANYHOW = frozenset({"ok", "error", "timeout", "memory", "killed"})


@dataclass(frozen=True, slots=True)
class Bomb:
    code: str
    exits: frozenset[str]
    value: Any = None
    """The only value that it may come back with."""


def ends(code: str, *exits: str, value: Any = None) -> Bomb:
    return Bomb(code, frozenset(exits), value)


RESOURCES = {
    "memory at once": ends("bytearray(1 << 40)", "memory"),
    "memory bit by bit": ends("hoard = []\nwhile True: hoard.append(bytearray(1 << 20))", "memory"),
    "memory by doubling": ends("x = [1]\nwhile True: x += x", "memory"),
    "memory by mapping": ends("hoard = []\nwhile True: hoard.append(mmap.mmap(-1, 1 << 24))", "error", "memory"),
    "memory by raw mapping": ends(
        "while call('mmap', 0, 1 << 26, 3, 0x8022, -1 & (1 << 64) - 1, 0): pass", "error", "timeout", "killed"
    ),
    "memory, and catching it": ends(
        "hoard = []\nwhile True:\n    try: hoard.append(bytearray(1 << 16))\n    except MemoryError: pass",
        "timeout", "memory",
    ),
    "memory in pipes": ends("hoard = []\nwhile True:\n    hoard.append(os.pipe())", "error"),
    "a full disk": ends("file = open('a', 'wb')\nwhile True: file.write(bytes(1 << 20))", "error"),
    "a full disk of many files": ends(
        "for i in range(10**6):\n    with open(f'{i}', 'wb') as f: f.write(bytes(1 << 20))", "error", "killed"
    ),
    "a disk of tiny files": ends("for i in range(10**7): open(f'{i}', 'w').close()", "error", "killed"),
    "a sparse file": ends("open('a', 'wb').truncate(1 << 40)", "error"),
    "a gigabyte of prints": ends("for _ in range(1 << 10): print('x' * (1 << 20))", "error"),
    "prints that never end": ends(
        "while True:\n    try: print('x' * 1000)\n    except OSError: pass", "timeout"
    ),
    "errors without end": ends("raise ValueError('x' * (1 << 24))", "error"),
    "a sparse stdout": ends("os.pwrite(1, b'x', 1 << 40)", "error"),
    "descriptors": ends("while True: os.dup(1)", "error"),
    "an endless loop": ends("while True: pass", "timeout"),
    "an endless sleep": ends("time.sleep(10**6)", "timeout"),
    "an endless loop that catches all": ends(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass", "timeout"
    ),
    "an endless loop that ignores signals": ends(
        "for number in range(1, 65):\n    try: signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
        "timeout",
    ),
    "an endless loop in C": ends("10 ** 10 ** 9", "timeout", "memory"),
    "an endless match": ends("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "timeout"),
    "a stopped process": ends("os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "an endless exit": ends(
        "class Slow:\n    def __del__(self):\n        while True: pass\nslow = Slow()", "ok", "timeout"
    ),
    "a crash": ends("ctypes.string_at(0)", "killed"),
    "an abort": ends("os.abort()", "killed"),
    "a suicide": ends("os.kill(os.getpid(), signal.SIGKILL)", "killed"),
    "a deep recursion": ends(
        "sys.setrecursionlimit(10**9)\ndef f(x): return [f([x])]\nf(0)", "killed", "error", "memory", "timeout"
    ),
    "a deep expression": ends("eval('(' * 10**6)", "error", "memory", "killed"),
    "a 32-bit call from writable code": ends(
        # mov eax, 20; int 0x80; ret: another architecture's numbers would pass a careless filter.
        "page = mmap.mmap(-1, 4096, prot=7)\npage.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "if not X86: os.abort()\nctypes.CFUNCTYPE(ctypes.c_int)(at)() > 0",
        "killed",
    ),
}  # fmt: skip

FORGERIES = {
    "leave early and well": ends("sys.exit(0)\n1", "error"),
    "leave early at once": ends("os._exit(0)", "error"),
    "leave as if out of memory": ends("os._exit(86)", "memory"),
    "leave with a half report": ends("os.write(3, b'[1, 2')\nos._exit(0)", "error"),
    "leave with a deep report": ends("os.write(3, b'[' * 10**6)\nos._exit(0)", "error"),
    "leave with a long number": ends("os.write(3, b'1' * 10**6)\nos._exit(0)", "error"),
    "leave with a long report": ends("os.write(3, b'\"' + b'x' * (3 << 20) + b'\"')\nos._exit(0)", "error"),
    "leave with a garbled report": ends("os.write(3, b'\\xff\\x00')\nos._exit(0)", "error"),
    "report twice": ends("os.write(3, b'1')\n1, 2", "error"),
    "print a report": ends("print('{\"how\": \"ok\", \"report\": \"1\"}')", "ok"),
    "print a frame": ends("os.write(1, struct.pack('!I', 12) + b'{\"how\":\"ok\"}')\nNone", "ok"),
    "be equal to everything": ends("class Any:\n    def __eq__(self, other): return True\nAny()", "ok"),
    "be a number equal to everything": ends(
        "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\nAny()", "ok"
    ),
    "be a text equal to everything, in a list": ends(
        "class Any(str):\n    def __eq__(self, other): return True\n[Any()]", "ok"
    ),
    "be a pickle": ends("class Any:\n    def __reduce__(self): return os.system, ('true',)\nAny()", "ok"),
    "close every descriptor": ends("os.closerange(0, 256)\n1", "error"),
    "replace the report's writer": ends("import json\njson.dumps = lambda value: '[1'\n1", "error"),
    "break the report's writer": ends("import json\njson.dumps = None\n1", "ok", "error"),
    "break what explains errors": ends(
        "import traceback, builtins\ntraceback.format_exception = None\nbuiltins.open = None\n1 / 0", "error"
    ),
    "answer in the zygote's name": ends(
        "frame = sys._getframe()\nwhile 'sink' not in frame.f_locals: frame = frame.f_back\n"
        "sink = frame.f_locals['sink']\nsink.write(struct.pack('!I', 2) + b'{}')\nsink.flush()\n1",
        "error",
    ),
    "take the zygote's place": ends(
        "frame = sys._getframe()\nwhile frame.f_back is not None: frame = frame.f_back\n"
        "import prmdata.sandbox.zygote as zygote\nzygote.main()",
        "ok", "error",
    ),
    "raise a strange error": ends(
        "class Odd(BaseException):\n    def __str__(self): raise self\nraise Odd()", "error"
    ),
    "be endless while it is written": ends(
        "loop = []\nloop.append(loop)\nloop", "ok"
    ),
    "null bytes in the code": ends("eval('1\\0')", "error"),
}  # fmt: skip
