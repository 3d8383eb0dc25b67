"""Runs Python that a model wrote, and nothing of the machine is at stake.

Namespaces where they are allowed, Landlock where the kernel has it, always a system call filter,
resource limits and a deadline. Which of them hold is found by attacking, and is recorded.
Compare values outside: whatever code says of itself, it may have made up.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prmdata.sandbox.box import Sandbox
    from prmdata.sandbox.level import LEVELS, Level
    from prmdata.sandbox.result import Result

__all__ = ["LEVELS", "Level", "Result", "Sandbox"]
_HOMES = {"Sandbox": "box", "Result": "result", "Level": "level", "LEVELS": "level"}


def __getattr__(name: str) -> Any:
    """Loaded when asked for: a zygote lives in this package and forks the faster without it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'prmdata.sandbox' has no attribute '{name}'")
    return getattr(importlib.import_module(f"prmdata.sandbox.{_HOMES[name]}"), name)
