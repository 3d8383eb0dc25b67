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

    cpu_s: float
    """Processor time."""

    memory_bytes: int
    """Address space, with what the interpreter has already."""

    parent: int
    """Its process id: whoever finds another parent is an orphan, and ends."""

    files: int = 4
    """How many descriptors stay open."""


def confine_zygote() -> None:
    """What children inherit, done once. From here on nothing can be mounted, run or reached."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    _restrict(resource.RLIMIT_NOFILE, OPEN_FILES)
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE):
        _restrict(kind, 0)
    kernel.drop_capabilities()
    seccomp.child_template()  # made before the fork, for all
    seccomp.install(seccomp.zygote_program())


def confine(limits: Limits, rules: int | None) -> None:
    """Order matters: the last line takes away what the others need."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != limits.parent:
        raise ProcessLookupError("its parent is gone")
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    _restrict(resource.RLIMIT_AS, limits.memory_bytes)
    seconds = math.ceil(limits.cpu_s)
    _restrict(resource.RLIMIT_CPU, seconds + 1)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (min(seconds, hard), hard))  # its signal says why
    _restrict(resource.RLIMIT_FSIZE, FILE_BYTES)
    if rules is not None:
        landlock.enforce(rules)
    os.closerange(limits.files, OPEN_FILES)
    seccomp.install(seccomp.child_program(os.getpid()))


def _restrict(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError):
        resource.setrlimit(kind, (least, least))
