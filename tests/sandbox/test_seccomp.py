"""The filters, run by a small interpreter of our own: so arm64's are tested everywhere."""

from __future__ import annotations

import platform
import re
import struct
from pathlib import Path

import pytest

from prmdata.sandbox import seccomp, syscalls
from prmdata.sandbox.seccomp import ALLOW, DENY, KILL

OWN, OTHER = 4321, 1
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
ALL = syscalls.ALLOWED | syscalls.CONDITIONAL | syscalls.ZYGOTE


def verdict(program: bytes, machine: int, number: int, arguments: tuple[int, ...]) -> int:
    """Classic BPF, as much of it as a filter uses."""
    words = [argument & (1 << 64) - 1 for argument in (*arguments, *[0] * 6)][:6]
    data = struct.pack("=iIQ6Q", number, machine, 0, *words)
    lines, place, value = list(struct.iter_unpack("HBBI", program)), 0, 0
    while True:
        operation, then, otherwise, constant = lines[place]
        place += 1
        if operation == seccomp.LOAD:
            (value,) = struct.unpack_from("I", data, constant)
        elif operation == seccomp.AND:
            value &= constant
        elif operation == seccomp.JUMP_EQUAL:
            place += then if value == constant else otherwise
        else:
            assert operation == seccomp.RETURN
            return int(constant)


def asked(number: int, arguments: tuple[int, ...], machine: int) -> int:
    """Of two filters the stricter wins."""
    programs = seccomp.zygote_program(), seccomp.child_program(OWN)
    verdicts = [verdict(program, machine, number, arguments) for program in programs]
    return next(one for one in (KILL, DENY, ALLOW) if one in verdicts)


@pytest.fixture(params=syscalls.ARCHITECTURES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The other architecture, put in the place of this one."""
    monkeypatch.setattr(platform, "machine", lambda: request.param)
    seccomp.child_template.cache_clear()
    yield request.param
    seccomp.child_template.cache_clear()


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("read", (0,), ALLOW),
        ("openat", (0, 0, 0o2000000), ALLOW),
        ("openat", (0, 0, 0o1001), ALLOW),
        ("openat", (0, 0, 0o1000), DENY),
        ("openat", (0, 0, 0o1003), DENY),
        ("kill", (OWN, 9), ALLOW),
        ("kill", (OTHER, 9), DENY),
        ("kill", (-1, 9), DENY),
        ("kill", (0, 9), DENY),
        ("tgkill", (OWN, OWN, 6), ALLOW),
        ("tgkill", (OTHER, OTHER, 6), DENY),
        ("prlimit64", (0,), ALLOW),
        ("prlimit64", (OTHER,), DENY),
        ("fcntl", (3, 1), ALLOW),
        ("fcntl", (3, 8), DENY),
        ("fcntl", (3, 10), DENY),
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), DENY),
        ("ioctl", (0, 0x5412 | 1 << 32), DENY),
        ("socketpair", (1, 1 | 0o2000000), ALLOW),
        ("socketpair", (1, 2), DENY),
        ("socketpair", (2, 1), DENY),
        ("sendto", (3, 9, 1, 0, 0), ALLOW),
        ("sendto", (3, 9, 1, 0, 1 << 32), DENY),
        ("sendto", (3, 9, 1, 0, 7), DENY),
        ("clone", (17,), DENY),
        ("prctl", (1, 0), DENY),
        ("memfd_create", (), DENY),
    ],
)
def test_a_call_is_allowed_or_not(
    machine: str, call: str, arguments: tuple[int, ...], expected: int
) -> None:
    column, name = syscalls.ARCHITECTURES[machine]
    assert asked(ALL[call][column], arguments, name) == expected


def test_what_is_not_listed_is_denied(machine: str) -> None:
    column, name = syscalls.ARCHITECTURES[machine]
    listed = {numbers[column] for numbers in (syscalls.ALLOWED | syscalls.CONDITIONAL).values()}
    for number in set(range(600)) - listed:
        assert asked(number, (), name) == DENY
    assert asked(0x40000000, (), name) == DENY
    assert asked(0, (), 0x40000003) == KILL


@pytest.mark.parametrize("architecture", syscalls.ARCHITECTURES)
def test_numbers_are_the_kernels(architecture: str) -> None:
    if not HEADERS[architecture].exists():
        pytest.skip("needs the kernel's headers")
    lines = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[architecture].read_text())
    known = {name: int(number) for name, number in lines}
    column, _ = syscalls.ARCHITECTURES[architecture]
    checked = {name: numbers[column] for name, numbers in ALL.items() if name in known}
    assert checked == {name: known[name] for name in checked}
    assert len(checked) > 90
