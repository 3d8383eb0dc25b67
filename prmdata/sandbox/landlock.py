"""Which files code may touch, by Landlock (Linux 5.13 and later, no privilege needed)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from prmdata.sandbox import kernel

READ_FILE, READ_FOLDER, WRITE_FILE, REMOVE_FILE, MAKE_FILE = 1 << 2, 1 << 3, 1 << 1, 1 << 5, 1 << 8
TRUNCATE = 1 << 14
READ = READ_FILE | READ_FOLDER
ALL_WRITES = WRITE_FILE | REMOVE_FILE | MAKE_FILE | TRUNCATE
# Rights over files that each version knows; denying a right it does not know is an error.
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
LATEST_RIGHTS = (1 << 16) - 1
NETWORK, SIGNALS_AND_SOCKETS = 0b11, 0b11


def version() -> int:
    flag = ctypes.c_uint32(1)  # LANDLOCK_CREATE_RULESET_VERSION
    return _call(kernel.LANDLOCK_CREATE_RULESET, None, 0, flag)


def ruleset(readable: Sequence[str], scratch: str) -> int:
    """A descriptor of the rules; nothing is enforced before `enforce`."""
    known = version()
    rights = RIGHTS.get(known, LATEST_RIGHTS)
    words = [rights] + [NETWORK] * (known >= 4) + [SIGNALS_AND_SOCKETS] * (known >= 6)
    rules = _call(
        kernel.LANDLOCK_CREATE_RULESET,
        ctypes.c_char_p(struct.pack(f"{len(words)}Q", *words)),
        8 * len(words),
        0,
    )
    for path in filter(os.path.exists, readable):
        _allow(rules, path, READ if Path(path).is_dir() else READ_FILE)
    _allow(rules, "/dev/null", READ_FILE | WRITE_FILE)
    _allow(rules, scratch, (READ | ALL_WRITES) & rights)
    return rules


def enforce(rules: int) -> None:
    """For this process and for good; it must have given up new privileges before."""
    _call(kernel.LANDLOCK_RESTRICT_SELF, rules, 0)


def _call(number: int, *arguments: object) -> int:
    try:
        return kernel.call("syscall", number, *arguments)
    except OSError as error:
        raise OSError(error.errno, f"Landlock: {os.strerror(error.errno or 0)}") from None


def _allow(rules: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = ctypes.c_char_p(struct.pack("=Qi", rights, place))
        _call(kernel.LANDLOCK_ADD_RULE, rules, 1, rule, 0)
    finally:
        os.close(place)
