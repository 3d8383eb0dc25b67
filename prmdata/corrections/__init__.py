"""Wrong traces → what would have been right in their place. A name here is a verb."""

from __future__ import annotations

from prmdata.corrections.intervene import Intervene
from prmdata.corrections.repair import Repair
from prmdata.registry import Registry

CORRECTIONS: Registry[type[Repair] | type[Intervene]] = Registry(
    "correction", "prmdata.corrections", {"intervene": Intervene, "repair": Repair}
)
