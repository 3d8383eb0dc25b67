"""Calls that Python has no name for, through the C library."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library; its error becomes an `OSError`."""
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in arguments]
    result: int = getattr(_libc, name)(*words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, *arguments: object) -> None:
    call("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def drop_capabilities() -> None:
    """Keep none, in any set: being root is then being a user who owns root's files."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
