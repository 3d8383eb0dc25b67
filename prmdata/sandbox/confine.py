"""The last thing a fresh process does before it runs what a model wrote: give everything up."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
from dataclasses import dataclass

from prmdata.sandbox import kernel, landlock, seccomp

FILE_BYTES = 4 << 20
"""The most that one file, and so each of stdout and stderr, can hold."""

OPEN_FILES = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use."""

    deadline_s: float
    memory_bytes: int
    """Address space, on top of what the interpreter has already."""


def confine(limits: Limits, rules: int | None) -> None:
    """Order matters: each line needs something that a later one takes away."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    restrict_resources(limits)
    if rules is not None:
        landlock.enforce(rules)
    os.closerange(4, OPEN_FILES * 4)
    kernel.drop_capabilities()
    seccomp.install(os.getpid())


def restrict_resources(limits: Limits) -> None:
    seconds = math.ceil(limits.deadline_s) + 1
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, 1),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _restrict(kind, most)


def _restrict(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError):
        resource.setrlimit(kind, (least, least))
