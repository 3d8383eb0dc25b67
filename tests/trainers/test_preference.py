"""`pairs` and `kto` in TRL's trainers of preferences."""

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


@pytest.mark.parametrize("kind", ["step", "outcome"])
def test_dpo(
    kind: str, labelled: list[Trace], policy_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from trl import DPOConfig, DPOTrainer

    data = loaded(tmp_path, labelled, "pairs", {"kind": kind})
    trainer = DPOTrainer(
        model=policy_model,
        args=DPOConfig(**two_steps(tmp_path), max_length=None),
        train_dataset=data,
        processing_class=tokenizer,
    )
    assert len(trainer.train_dataset) == len(data) > 4
    for row, seen in zip(data, trainer.train_dataset, strict=True):
        for side in ("chosen", "rejected"):
            said = tokenizer.decode(seen[f"{side}_ids"])
            assert row[side][0]["content"].splitlines()[-1] in said
    trainer.train()
    assert losses(trainer)[0] == pytest.approx(0.693, abs=0.01)


def test_reward(
    labelled: list[Trace], sequence_classifier: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from trl import RewardConfig, RewardTrainer

    data = loaded(tmp_path, labelled, "pairs", {"margin": True})
    assert data["margin"][:] == [1.0] * len(data)
    trainer = RewardTrainer(
        model=sequence_classifier,
        args=RewardConfig(**two_steps(tmp_path), max_length=None),
        train_dataset=data,
        processing_class=tokenizer,
    )
    assert "margin" in trainer.train_dataset.column_names
    trainer.train()
    losses(trainer)


def test_kto(labelled: list[Trace], policy_model: Any, tokenizer: Any, tmp_path: Path) -> None:
    from trl import KTOConfig, KTOTrainer

    data = loaded(tmp_path, labelled, "kto")
    trainer = KTOTrainer(
        model=policy_model,
        args=KTOConfig(**two_steps(tmp_path), max_length=None),
        train_dataset=data,
        processing_class=tokenizer,
    )
    assert trainer.train_dataset["label"][:] == data["label"][:]
    assert set(data["label"][:]) == {True, False}
    trainer.train()
    losses(trainer)
