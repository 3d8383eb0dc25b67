"""Labelling methods: one file each. A name here is the word after `--method`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prmdata.errors import UsageError, unknown
from prmdata.labellers.adaptive import Adaptive
from prmdata.labellers.bisect import Bisect
from prmdata.labellers.consensus import Consensus
from prmdata.labellers.contract import Method
from prmdata.labellers.forward import Forward
from prmdata.labellers.hybrid import Hybrid
from prmdata.labellers.mc import MonteCarlo
from prmdata.labellers.next_step import NextStep
from prmdata.labellers.omega import Omega
from prmdata.labellers.outcome import Outcome
from prmdata.labellers.posterior import Posterior
from prmdata.labellers.prefix_tree import PrefixTree
from prmdata.labellers.rollout_tree import RolloutTree
from prmdata.labellers.threshold import Threshold
from prmdata.labellers.value_tree import ValueTree
from prmdata.plugins import with_plugins
from prmdata.settings import configured

__all__ = ["LABELLERS", "Method", "method"]

LABELLERS: dict[str, type[Method]] = {
    "adaptive": Adaptive,
    "bisect": Bisect,
    "consensus": Consensus,
    "forward": Forward,
    "hybrid": Hybrid,
    "mc": MonteCarlo,
    "next-step": NextStep,
    "omega": Omega,
    "outcome": Outcome,
    "posterior": Posterior,
    "prefix-tree": PrefixTree,
    "rollout-tree": RolloutTree,
    "threshold": Threshold,
    "value-tree": ValueTree,
}


def known() -> dict[str, type[Method]]:
    return with_plugins("prmdata.labellers", LABELLERS)


def method(name: str, verb: str, settings: Mapping[str, Any]) -> Method:
    """The method of that name, configured; refuses a verb that is not its own."""
    table = known()
    if name not in table:
        raise unknown("method", name, [n for n, kind in table.items() if kind.verb == verb])
    if table[name].verb != verb:
        raise UsageError(
            f"'{name}' is a method of `prmdata {table[name].verb}`; `prmdata {verb}` has "
            + ", ".join(sorted(n for n, kind in table.items() if kind.verb == verb))
        )
    return configured(table[name], settings)
