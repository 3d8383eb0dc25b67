"""Verifiers: one file each. A name here is the word after `--with`."""

from __future__ import annotations

from prmdata.registry import Registry
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.arithmetic import Arithmetic
from prmdata.verifiers.contract import Finding, Ready, Verifier, ready
from prmdata.verifiers.oracle import Oracle
from prmdata.verifiers.path import Path
from prmdata.verifiers.python import Python
from prmdata.verifiers.retrieval import Retrieval
from prmdata.verifiers.solver import Solver
from prmdata.verifiers.tool_match import ToolMatch
from prmdata.verifiers.unit_tests import UnitTests

__all__ = ["VERIFIERS", "Finding", "Ready", "Verifier", "ready"]

VERIFIERS: Registry[type[Verifier]] = Registry(
    "verifier",
    "prmdata.verifiers",
    {
        "algebra": Algebra,
        "arithmetic": Arithmetic,
        "oracle": Oracle,
        "path": Path,
        "python": Python,
        "retrieval": Retrieval,
        "solver": Solver,
        "tool-match": ToolMatch,
        "unit-tests": UnitTests,
    },
)
