"""A root folder with Python and nothing else, and no network: user, mount and net namespaces.

A zygote enters them once; the processes it forks are born inside.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from prmdata.sandbox import kernel

NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER, NEW_NET = 0x20000, 0x4000000, 0x8000000, 1 << 28, 1 << 30
READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND, RECURSIVE = 1, 2, 4, 32, 4096, 16384
PRIVATE, DETACH = 1 << 18, 2
# A bind keeps what its source was mounted with, or the kernel refuses to remount it.
INHERITED = 2 | 4 | 8 | 1024 | 2048


def enter(readable: Sequence[str], scratch: str, scratch_bytes: int) -> None:
    user, group = os.getuid(), os.getgid()
    kernel.call("unshare", NEW_USER | NEW_MOUNTS | NEW_NET | NEW_IPC | NEW_UTS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(None, "/", None, RECURSIVE | PRIVATE)
    root = f"{scratch}/root"
    Path(root).mkdir()
    _mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICES, "size=1m,mode=755")
    _fill(root, readable)
    Path(root + scratch).mkdir(parents=True)
    _mount("tmpfs", root + scratch, "tmpfs", NO_SUID | NO_DEVICES, _limits(scratch_bytes))
    _move_into(root)


def _limits(scratch_bytes: int) -> str:
    return f"size={scratch_bytes},nr_inodes=1024,mode=700"


def _fill(root: str, readable: Sequence[str]) -> None:
    for path in outermost([*readable, "/dev/null"]):
        place = Path(root + path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).is_symlink() and not path.startswith("/etc/"):
            place.symlink_to(Path(path).readlink())
        else:
            _bind(path, place)


def outermost(paths: Sequence[str]) -> list[str]:
    """Those that exist and lie in none of the others."""
    found = sorted({path for path in paths if Path(path).exists()})
    return [path for path in found if not any(path.startswith(f"{other}/") for other in found)]


def _bind(path: str, place: Path) -> None:
    if Path(path).is_dir():
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    _mount(path, str(place), None, BIND)
    flags = READ_ONLY | (os.statvfs(place).f_flag & INHERITED)
    if not path.startswith("/dev/"):
        _mount(None, str(place), None, REMOUNT | BIND | flags)


def _move_into(root: str) -> None:
    os.chdir(root)
    kernel.call("pivot_root", b".", b".")
    kernel.call("umount2", b".", DETACH)
    os.chdir("/")
    _mount(None, "/", None, REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES, "size=1m,mode=755")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    try:
        kernel.call("mount", *words, flags, options.encode() if options else None)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({target})") from None
