"""The filters over system calls, as classic BPF: a long allow list, and a short one per process.

The short one holds the process's id: code may signal and limit itself, and nobody else.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from prmdata.sandbox import kernel, syscalls

LOAD, AND, RETURN, JUMP_EQUAL = 0x20, 0x54, 0x06, 0x15
ALLOW, DENY, KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""DENY answers EPERM; KILL is for another architecture's calls (int 0x80 on x86-64)."""

NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
AF_UNIX, SOCK_STREAM, SOCK_TYPES = 1, 1, 0xF
SOME_PID = 0x7FC0FFEE  # above every real one, and replaced by the child's
# Duplicates, flags, locks, pipe sizes and seals: never F_SETOWN or F_SETSIG, which signal others.
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032, 1034)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: never TIOCSTI or FIOSETOWN.
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Access mode and O_TRUNC: truncating what is opened for reading passes an old Landlock.
OPEN, OPEN_BITS = (0, 1, 2, 0x201, 0x202), 0x203


@dataclass(frozen=True, slots=True)
class Check:
    """One 32-bit half of an argument, masked, must be one of these values."""

    argument: int
    values: Sequence[int]
    mask: int = 0xFFFFFFFF
    high: bool = False


def checks(pid: int) -> dict[str, list[Check]]:
    own = [Check(0, (pid,))]
    return {
        "kill": own,
        "tkill": own,
        "tgkill": own,
        "prlimit64": [Check(0, (0, pid))],
        "open": [Check(1, OPEN, OPEN_BITS)],
        "openat": [Check(2, OPEN, OPEN_BITS)],
        "ioctl": [Check(1, IOCTL)],
        "fcntl": [Check(1, FCNTL)],
        # A stream pair cannot be sent to an address, which would reach the machine's daemons.
        "socketpair": [Check(0, (AF_UNIX,)), Check(1, (SOCK_STREAM,), SOCK_TYPES)],
        "sendto": [Check(4, (0,)), Check(4, (0,), high=True)],
    }


def zygote_program() -> bytes:
    """Allows what is listed; its children inherit it, and so do not pay for its making."""
    column, name = syscalls.architecture()
    code = [_load(ARCHITECTURE), _jump(name, 1, 0), _return(KILL), _load(NUMBER)]
    for numbers in (syscalls.ALLOWED | syscalls.CONDITIONAL | syscalls.ZYGOTE).values():
        if (number := numbers[column]) is not None:
            code += [_jump(number, 0, 1), _return(ALLOW)]
    return b"".join([*code, _return(DENY)])


@functools.cache
def child_template() -> bytes:
    """Takes away what the zygote has and its children must not have. The stricter filter wins."""
    column, _ = syscalls.architecture()
    code = [_load(NUMBER)]
    for numbers in syscalls.ZYGOTE.values():
        code += [_jump(numbers[column], 0, 1), _return(DENY)]
    for call, conditions in checks(SOME_PID).items():
        if (number := syscalls.CONDITIONAL[call][column]) is not None:
            block = [line for check in conditions for line in _checked(check)] + [_return(ALLOW)]
            code += [_jump(number, 0, len(block)), *block]
    return b"".join([*code, _return(ALLOW)])


def child_program(pid: int) -> bytes:
    return child_template().replace(struct.pack("I", SOME_PID), struct.pack("I", pid))


def install(code: bytes) -> None:
    """For this process and for good; it must have given up new privileges before."""
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, ctypes.c_char_p(header))


def _checked(check: Check) -> list[bytes]:
    count = len(check.values)
    lines = [_load(ARGUMENTS + 8 * check.argument + 4 * check.high)]
    lines += [_line(AND, check.mask)]
    lines += [_jump(value, count - place, 0) for place, value in enumerate(check.values)]
    return [*lines, _return(DENY)]


def _line(operation: int, constant: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", operation, then, otherwise, constant)


def _load(offset: int) -> bytes:
    return _line(LOAD, offset)


def _jump(value: int, then: int, otherwise: int) -> bytes:
    return _line(JUMP_EQUAL, value, then, otherwise)


def _return(verdict: int) -> bytes:
    return _line(RETURN, verdict)
