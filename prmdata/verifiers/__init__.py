"""Verifiers: one file each. A name here is the word after `--with`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prmdata.errors import unknown
from prmdata.plugins import with_plugins
from prmdata.settings import configured
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.arithmetic import Arithmetic
from prmdata.verifiers.contract import Finding, Ready, Verifier, ready
from prmdata.verifiers.oracle import Oracle
from prmdata.verifiers.python import Python
from prmdata.verifiers.solver import Solver
from prmdata.verifiers.unit_tests import UnitTests

__all__ = ["VERIFIERS", "Finding", "Ready", "Verifier", "known", "ready", "verifier"]

VERIFIERS: dict[str, type[Verifier]] = {
    "algebra": Algebra,
    "arithmetic": Arithmetic,
    "oracle": Oracle,
    "python": Python,
    "solver": Solver,
    "unit-tests": UnitTests,
}


def known() -> dict[str, type[Verifier]]:
    return with_plugins("prmdata.verifiers", VERIFIERS)


def verifier(name: str, settings: Mapping[str, Any]) -> Verifier:
    table = known()
    if name not in table:
        raise unknown("verifier", name, table)
    return configured(table[name], settings)
