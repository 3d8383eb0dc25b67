"""What code in the sandbox may ask of the kernel: system call numbers on x86-64 and on arm64.

Everything else is denied: processes and threads, exec, sockets, ptrace, mounts, io_uring,
memfd, keys, modes and times of files, folders and links, and whatever a later kernel adds.
"""

from __future__ import annotations

import platform

from prmdata.errors import SandboxError

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine → column of the tables below, and the kernel's name for it."""

MEMORY = {
    "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226),
    "mremap": (25, 216), "madvise": (28, 233), "mincore": (27, 232), "msync": (26, 227),
}  # fmt: skip
PROCESS = {
    "exit": (60, 93), "exit_group": (231, 94), "getpid": (39, 172), "gettid": (186, 178),
    "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176),
    "getegid": (108, 177), "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150),
    "uname": (63, 160), "sysinfo": (99, 179), "times": (100, 153), "getrusage": (98, 165),
    "getrlimit": (97, 163), "setrlimit": (160, 164), "futex": (202, 98),
    "set_robust_list": (273, 99), "rseq": (334, 293), "set_tid_address": (218, 96),
    "arch_prctl": (158, None), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "getcpu": (309, 168), "getrandom": (318, 278),
}  # fmt: skip
SIGNALS_AND_TIME = {
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "gettimeofday": (96, 169),
    "time": (201, None), "setitimer": (38, 103), "getitimer": (36, 102), "alarm": (37, None),
    "pause": (34, None), "restart_syscall": (219, 128),
}  # fmt: skip
FILES = {
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70),
    "close": (3, 57), "close_range": (436, 436),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "lseek": (8, 62),
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "readlink": (89, None), "readlinkat": (267, 78),
    "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fsync": (74, 82), "fdatasync": (75, 83), "ftruncate": (77, 46), "unlink": (87, None),
    "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "umask": (95, 166), "statfs": (137, 43), "fstatfs": (138, 44),
    "sendfile": (40, 71),
}  # fmt: skip
# What asyncio's event loop needs to talk to itself.
WAITING = {
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "eventfd": (284, None),
    "eventfd2": (290, 19), "pipe": (22, None), "pipe2": (293, 59), "recvfrom": (45, 207),
    "shutdown": (48, 210), "getsockname": (51, 204), "getpeername": (52, 205),
}  # fmt: skip
ALLOWED = MEMORY | PROCESS | SIGNALS_AND_TIME | FILES | WAITING

CONDITIONAL = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "prlimit64": (302, 261),
    "ioctl": (16, 29), "fcntl": (72, 25), "socketpair": (53, 199), "sendto": (44, 206),
    "open": (2, None), "openat": (257, 56),
}  # fmt: skip
"""Allowed with some arguments only: see `prmdata.sandbox.seccomp`."""

ZYGOTE = {
    "clone": (56, 220), "wait4": (61, 260), "setsid": (112, 157), "memfd_create": (319, 279),
    "prctl": (157, 167), "landlock_restrict_self": (446, 446),
}  # fmt: skip
"""What it takes to fork and to enclose a process, and what code must not have."""


def architecture() -> tuple[int, int]:
    """This machine's column in the tables and its name in a filter."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise SandboxError(
            f"the sandbox knows x86_64 and aarch64, not {machine}; run it on one of those"
        )
    return ARCHITECTURES[machine]
