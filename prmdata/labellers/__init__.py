"""Labelling methods: one file each. A name here is the word after `--method`."""

from __future__ import annotations

from collections.abc import Mapping

from prmdata.errors import UsageError
from prmdata.labellers.adaptive import Adaptive
from prmdata.labellers.anchor import Anchor
from prmdata.labellers.anytime import Anytime
from prmdata.labellers.bisect import Bisect
from prmdata.labellers.certainty import Certainty
from prmdata.labellers.clusters import Clusters
from prmdata.labellers.consensus import Consensus
from prmdata.labellers.contract import Method, Verb
from prmdata.labellers.contrast import Contrast
from prmdata.labellers.faithfulness import Faithfulness
from prmdata.labellers.first_error import FirstError
from prmdata.labellers.forward import Forward
from prmdata.labellers.gain import Gain
from prmdata.labellers.hybrid import Hybrid
from prmdata.labellers.implicit import Implicit
from prmdata.labellers.mc import MonteCarlo
from prmdata.labellers.next_step import NextStep
from prmdata.labellers.omega import Omega
from prmdata.labellers.outcome import Outcome
from prmdata.labellers.posterior import Posterior
from prmdata.labellers.potential import Potential
from prmdata.labellers.prefix_tree import PrefixTree
from prmdata.labellers.prm import Prm
from prmdata.labellers.rollout_tree import RolloutTree
from prmdata.labellers.threshold import Threshold
from prmdata.labellers.value_tree import ValueTree
from prmdata.labellers.weaver import Weaver
from prmdata.registry import Registry, make

__all__ = ["LABELLERS", "Method", "method", "methods_of"]

LABELLERS: Registry[type[Method]] = Registry(
    "method",
    "prmdata.labellers",
    {
        "adaptive": Adaptive,
        "anchor": Anchor,
        "anytime": Anytime,
        "bisect": Bisect,
        "certainty": Certainty,
        "clusters": Clusters,
        "consensus": Consensus,
        "contrast": Contrast,
        "faithfulness": Faithfulness,
        "first-error": FirstError,
        "forward": Forward,
        "gain": Gain,
        "hybrid": Hybrid,
        "implicit": Implicit,
        "mc": MonteCarlo,
        "next-step": NextStep,
        "omega": Omega,
        "outcome": Outcome,
        "posterior": Posterior,
        "potential": Potential,
        "prefix-tree": PrefixTree,
        "prm": Prm,
        "rollout-tree": RolloutTree,
        "threshold": Threshold,
        "value-tree": ValueTree,
        "weaver": Weaver,
    },
)


def methods_of(verb: Verb) -> dict[str, type[Method]]:
    """The methods of `prmdata estimate`, or of `prmdata label`."""
    return {name: kind for name, kind in LABELLERS.items() if kind.verb == verb}


def method(name: str, verb: Verb, settings: Mapping[str, object]) -> Method:
    """The method of that name with its settings; a method of the other verb is refused."""
    if name in LABELLERS and LABELLERS[name].verb != verb:
        raise UsageError(
            f"'{name}' is a method of `prmdata {LABELLERS[name].verb}`; methods of `prmdata "
            f"{verb}`: {', '.join(sorted(methods_of(verb)))}"
        )
    return make(LABELLERS, name, settings)
