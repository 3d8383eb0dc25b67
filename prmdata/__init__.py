"""Process-supervision datasets: step-level labels on reasoning traces, measured.

The same stages as the commands, as functions: see `prmdata.library`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prmdata.version import VERSION

if TYPE_CHECKING:
    from prmdata import reward
    from prmdata.errors import PrmdataError
    from prmdata.library import (
        audit_sample,
        choose,
        credit_,
        estimate,
        export,
        fit,
        generate,
        grade,
        import_,
        intervene,
        judge,
        label,
        merge,
        mutate,
        publish,
        read,
        repair,
        report_,
        score,
        show,
        stats,
        thoughts,
        truth_,
        verify,
        write,
    )
    from prmdata.records import Cost, Evidence, Labels, Origin, Problem, Step, Tally, Trace

__version__ = VERSION
__all__ = [
    "Cost",
    "Evidence",
    "Labels",
    "Origin",
    "PrmdataError",
    "Problem",
    "Step",
    "Tally",
    "Trace",
    "audit_sample",
    "choose",
    "credit_",
    "estimate",
    "export",
    "fit",
    "generate",
    "grade",
    "import_",
    "intervene",
    "judge",
    "label",
    "merge",
    "mutate",
    "publish",
    "read",
    "repair",
    "report_",
    "reward",
    "score",
    "show",
    "stats",
    "thoughts",
    "truth_",
    "verify",
    "write",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: `prmdata --help` needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'prmdata' has no attribute '{name}'")
    if name == "reward":
        return importlib.import_module("prmdata.reward")
    if name[0].islower():
        importlib.import_module("prmdata.platforms").check()
    home = "library" if name[0].islower() else "errors" if name == "PrmdataError" else "records"
    return getattr(importlib.import_module(f"prmdata.{home}"), name)
