"""What code may read: Python, its libraries and what the C library needs. And its environment."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/urandom",
)


def readable() -> list[str]:
    """Library folders only: neither a prefix, where a project may live, nor `sys.path`."""
    return [place for place in dict.fromkeys([*libraries(), *SYSTEM]) if Path(place).exists()]


def libraries() -> list[str]:
    """The standard library and site-packages, and the folder of `libpython`."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    shared = sysconfig.get_config_var("LIBDIR")
    folders += [shared] if shared else []
    return list(dict.fromkeys(os.path.realpath(folder) for folder in folders if folder))


def environment(scratch: str) -> dict[str, str]:
    """Nothing of ours, which may hold keys. A fixed hash seed makes a run repeatable."""
    found = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found |= {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "PATH": os.defpath}
    found |= {"HOME": scratch, "TMPDIR": scratch}
    if search := os.environ.get("LD_LIBRARY_PATH"):
        found["LD_LIBRARY_PATH"] = search
    return found


START = """
import sys
sys.path.insert(0, sys.argv[2])
from prmdata.sandbox import zygote
sys.path[:] = sys.argv[3:]
zygote.main()
"""


def command(settings: str) -> list[str]:
    """Start a zygote; what it and its children import comes from readable folders."""
    package = str(Path(__file__).parents[2])
    paths = [path for path in sys.path if _is_library(path)]
    return [sys.executable, "-P", "-s", "-B", "-X", "utf8", "-c", START, settings, package, *paths]


def _is_library(path: str) -> bool:
    real = os.path.realpath(path)
    return any(real == folder or real.startswith(f"{folder}/") for folder in libraries())
