"""`sft`, `judge` and `rl` in TRL's trainers of policies and judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prmdata.records import Trace
from tests.trainers.exports import loaded, losses, needs, two_steps, version

pytestmark = [
    *needs("trl", "accelerate"),
    pytest.mark.skipif(version("trl") < (1, 16), reason="proved with the current TRL"),
]


@pytest.mark.parametrize(
    ("to", "settings"),
    [
        ("sft", {}),
        ("sft", {"kind": "prefix"}),
        ("sft", {"kind": "prefix", "layout": "text"}),
        ("judge", {}),
        ("judge", {"layout": "index"}),
    ],
)
def test_sft(
    to: str,
    settings: dict,
    labelled: list[Trace],
    policy_model: Any,
    tokenizer: Any,
    tmp_path: Path,
) -> None:
    from trl import SFTConfig, SFTTrainer

    data = loaded(tmp_path, labelled, to, settings)
    trainer = SFTTrainer(
        model=policy_model,
        args=SFTConfig(**two_steps(tmp_path), max_length=None),
        train_dataset=data,
        processing_class=tokenizer,
    )
    assert len(trainer.train_dataset) == len(data) > 4
    trainer.train()
    losses(trainer)


def test_grpo_rewards_see_the_solution(
    labelled: list[Trace], policy_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from trl import GRPOConfig, GRPOTrainer

    data = loaded(tmp_path, labelled, "rl", {"trainer": "trl", "instruction": ""})
    assert len(data) == len({trace.problem.id for trace in labelled})
    truths = set()

    def reward(completions: list, solution: list[str], **_: Any) -> list[float]:
        truths.update(solution)
        said = [completion[0]["content"] for completion in completions]
        asked = [truth.removeprefix("\\boxed{").removesuffix("}") for truth in solution]
        return [float(f"answer is {gold}." in text) for text, gold in zip(said, asked, strict=True)]

    trainer = GRPOTrainer(
        model=policy_model,
        reward_funcs=reward,
        args=GRPOConfig(**two_steps(tmp_path), num_generations=4, max_completion_length=96),
        train_dataset=data,
        processing_class=tokenizer,
    )
    trainer.train()
    losses(trainer)
    assert truths
    assert truths <= set(data["solution"][:])
