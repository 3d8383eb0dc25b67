"""Export formats: one file each. A name here is the word after `--to`."""

from __future__ import annotations

from prmdata.exports.atif import Atif
from prmdata.exports.contract import Format
from prmdata.exports.credit import Credit
from prmdata.exports.judge import Judge
from prmdata.exports.kto import Kto
from prmdata.exports.math_shepherd import MathShepherd
from prmdata.exports.messages import Messages
from prmdata.exports.openr_tree import OpenrTree
from prmdata.exports.pairs import Pairs
from prmdata.exports.prm800k import Prm800k
from prmdata.exports.processbench import Processbench
from prmdata.exports.records import Records
from prmdata.exports.rl import Rl
from prmdata.exports.sft import Sft
from prmdata.exports.stepwise import Stepwise
from prmdata.exports.tokens import Tokens
from prmdata.exports.value import Value
from prmdata.exports.verifiers import Verifiers
from prmdata.exports.visualprm import Visualprm
from prmdata.registry import Registry

__all__ = ["FORMATS", "Format"]

FORMATS: Registry[type[Format]] = Registry(
    "format",
    "prmdata.formats",
    {
        "credit": Credit,
        "atif": Atif,
        "judge": Judge,
        "kto": Kto,
        "math-shepherd": MathShepherd,
        "messages": Messages,
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
        "verifiers": Verifiers,
        "visualprm": Visualprm,
    },
    hints={
        "trl": "TRL reads several: stepwise (PRMTrainer), sft, pairs (DPO), kto, rl (GRPO)",
        "axolotl": "Axolotl reads several: stepwise for reward models, sft, pairs",
        "verl": "for verl take rl (prompts), or credit with --set layout=verl (paid rollouts)",
        "openrlhf": "OpenRLHF's reward models read math-shepherd",
        "llamafactory": "take sft, pairs or kto with --set layout=llamafactory",
        "grpo": "take rl for prompts, credit for rollouts whose steps are paid",
        "rewards": "take credit",
        "skyrl": "take credit with --set layout=skyrl",
        "areal": "take credit with --set layout=areal",
        "nemo-gym": "take credit with --set layout=nemo-gym",
        "dpo": "take pairs",
        "prm": "take stepwise, or tokens for token classification",
        "jsonl": "the ending of -o decides how rows are stored; records writes all there is",
        "parquet": "the ending of -o decides how rows are stored; records writes all there is",
    },
)
