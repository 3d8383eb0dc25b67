"""Runs Python that a model wrote, and nothing of the machine is at stake.

Namespaces where they are allowed, Landlock where the kernel has it, always a system call filter,
resource limits and a deadline. Which of them hold is found by attacking, and is recorded.
Compare values outside: whatever code says of itself, it may have made up.
"""

from __future__ import annotations

from prmdata.sandbox.box import Sandbox
from prmdata.sandbox.level import LEVELS, Level
from prmdata.sandbox.result import Result

__all__ = ["LEVELS", "Level", "Result", "Sandbox"]
