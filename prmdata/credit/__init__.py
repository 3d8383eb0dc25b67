"""Forms of credit: one file each. A name here is the word after `prmdata credit --form`."""

from __future__ import annotations

from prmdata.credit.batch import Batch
from prmdata.credit.contract import Form
from prmdata.credit.group import Group
from prmdata.credit.min import Min
from prmdata.credit.sum import Sum
from prmdata.credit.td import Td
from prmdata.credit.turn import Turn
from prmdata.registry import Registry

__all__ = ["FORMS", "Form"]

FORMS: Registry[type[Form]] = Registry(
    "form of credit",
    "prmdata.credit",
    {"batch": Batch, "group": Group, "min": Min, "sum": Sum, "td": Td, "turn": Turn},
    hints={
        "max": "take min: a chain is as good as its worst step",
        "grpo": "take group or turn; --set outcome=1 adds the outcome's advantage",
        "gae": "take td for values, sum for rewards",
        "advantage": "take td: the value after a step less the value before it",
    },
)
