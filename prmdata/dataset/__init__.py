"""Export formats: one file each. A name here is the word after `--to`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prmdata.dataset.contract import Format
from prmdata.dataset.judge import Judge
from prmdata.dataset.kto import Kto
from prmdata.dataset.math_shepherd import MathShepherd
from prmdata.dataset.openr_tree import OpenrTree
from prmdata.dataset.pairs import Pairs
from prmdata.dataset.prm800k import Prm800k
from prmdata.dataset.processbench import Processbench
from prmdata.dataset.records import Records
from prmdata.dataset.rl import Rl
from prmdata.dataset.sft import Sft
from prmdata.dataset.stepwise import Stepwise
from prmdata.dataset.tokens import Tokens
from prmdata.dataset.value import Value
from prmdata.dataset.visualprm import Visualprm
from prmdata.errors import unknown
from prmdata.plugins import with_plugins
from prmdata.settings import configured

__all__ = ["FORMATS", "Format", "format_named", "known"]

FORMATS: dict[str, type[Format]] = {
    "judge": Judge,
    "kto": Kto,
    "math-shepherd": MathShepherd,
    "openr-tree": OpenrTree,
    "pairs": Pairs,
    "prm800k": Prm800k,
    "processbench": Processbench,
    "records": Records,
    "rl": Rl,
    "sft": Sft,
    "stepwise": Stepwise,
    "tokens": Tokens,
    "value": Value,
    "visualprm": Visualprm,
}


def known() -> dict[str, type[Format]]:
    return with_plugins("prmdata.formats", FORMATS)


def format_named(name: str, settings: Mapping[str, Any]) -> Format:
    table = known()
    if name not in table:
        raise unknown("format", name, table)
    return configured(table[name], settings)
