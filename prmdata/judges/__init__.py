"""Ways of asking a model for its judgement: one file each. A name here is the word after
`--with`."""

from __future__ import annotations

from prmdata.judges.action import Action
from prmdata.judges.contract import Session, Way
from prmdata.judges.critique import Critique
from prmdata.judges.deliberate import Deliberate
from prmdata.judges.dimensions import Dimensions
from prmdata.judges.grounded import Grounded
from prmdata.judges.index import Index
from prmdata.judges.meta import Meta
from prmdata.judges.pairwise import Pairwise
from prmdata.judges.passages import Passages
from prmdata.judges.rubric import Rubric
from prmdata.judges.subgoals import Subgoals
from prmdata.registry import Registry

__all__ = ["JUDGES", "Session", "Way"]

JUDGES: Registry[type[Way]] = Registry(
    "way of judging",
    "prmdata.judges",
    {
        "action": Action,
        "critique": Critique,
        "deliberate": Deliberate,
        "dimensions": Dimensions,
        "grounded": Grounded,
        "index": Index,
        "meta": Meta,
        "pairwise": Pairwise,
        "passages": Passages,
        "rubric": Rubric,
        "subgoals": Subgoals,
    },
)
