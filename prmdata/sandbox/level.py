"""How much a machine lets a sandbox enclose: found by attacking it, never from version numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from prmdata.errors import SandboxError, unknown
from prmdata.sandbox import probes, syscalls
from prmdata.sandbox.worker import Worker

LEVELS = {
    "full": ("namespaces", "landlock"),
    "landlock": ("landlock",),
    "namespaces": ("namespaces",),
}
"""Strongest first. Each also has the system call filter, resource limits and a deadline."""

ADVICE = (
    "try Linux 5.13 or later with Landlock enabled (its name is in /sys/kernel/security/lsm), "
    "or allow user namespaces (in Docker: --security-opt seccomp=unconfined)"
)


@dataclass(frozen=True, slots=True)
class Level:
    """What encloses the code, for the record of a run."""

    name: str
    layers: tuple[str, ...]
    probes: Mapping[str, str]
    """Attack → what became of it here."""

    refused: Mapping[str, str]
    """Stronger level → why it could not be had."""


async def reached(wanted: str = "auto") -> Level:
    """The strongest level, or the one wanted, at which every probe is stopped."""
    if wanted not in ("auto", *LEVELS):
        raise unknown("sandbox level", wanted, ["auto", *LEVELS])
    if sys.platform != "linux":
        raise SandboxError(
            f"the sandbox needs Linux, this is {sys.platform}; run it in a Linux VM or container"
        )
    syscalls.architecture()
    refused: dict[str, str] = {}
    for name in LEVELS if wanted == "auto" else [wanted]:
        found = await _probed(name)
        if isinstance(found, str):
            refused[name] = found
        else:
            return Level(name, LEVELS[name], found, refused)
    told = "; ".join(f"{name}: {why}" for name, why in refused.items())
    raise SandboxError(f"code cannot be run safely here ({told}); {ADVICE}")


async def _probed(name: str) -> dict[str, str] | str:
    """What each probe said, or why this level is not to be had."""
    worker = Worker(LEVELS[name])
    try:
        await worker.started()
        found = await probes.probe(worker)
    except SandboxError as error:
        return str(error)
    finally:
        await worker.close()
    open_ways = [f"{attack}: {what}" for attack, what in found.items() if not stopped(what)]
    return ", ".join(open_ways) or found


def stopped(what: str) -> bool:
    return what.startswith(probes.STOPPED)
