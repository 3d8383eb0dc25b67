"""Where prmdata runs, said before anything fails for want of it."""

from __future__ import annotations

import importlib.util
import sys

from prmdata.errors import PrmdataError


def check() -> None:
    """Locks and limits need a POSIX system; what only Linux has says so where it is used."""
    if importlib.util.find_spec("fcntl") is None:
        raise PrmdataError(
            f"prmdata runs on Linux and macOS, and this Python is for {sys.platform}; "
            "on Windows, install it inside WSL 2 (wsl --install)"
        )
