"""`prmdata.reward` in TRL's GRPO, with a hostile answer in the batch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from prmdata import reward
from prmdata.records import Trace
from tests.trainers.exports import loaded, losses, needs, two_steps, version

HANGS = r"so \boxed{\binom{10^9}{5\cdot 10^8}}"

pytestmark = [
    *needs("trl", "accelerate"),
    pytest.mark.skipif(version("trl") < (1, 16), reason="proved with the current TRL"),
]


def test_trl_trains_on_it(
    labelled: list[Trace], policy_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from trl import GRPOConfig, GRPOTrainer

    data = loaded(tmp_path, labelled, "rl", {"trainer": "trl", "instruction": ""})
    seen: list[float] = []

    @functools.wraps(reward.accuracy)
    def accuracy(completions: list[Any], **columns: Any) -> list[float]:
        hostile = [[{"role": "assistant", "content": HANGS}], *completions[1:]]
        found = reward.accuracy(hostile, **columns)
        seen.extend(found)
        return found

    trainer = GRPOTrainer(
        model=policy_model,
        reward_funcs=accuracy,
        args=GRPOConfig(**two_steps(tmp_path), num_generations=4, max_completion_length=96),
        train_dataset=data,
        processing_class=tokenizer,
    )
    trainer.train()
    losses(trainer)
    assert seen
    assert set(seen) <= {0.0, 1.0}
