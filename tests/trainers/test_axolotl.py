"""`stepwise` as Axolotl's `stepwise_supervised` strategy reads it, and two steps of its trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prmdata.records import Trace
from tests.trainers.exports import loaded, losses, needs, two_steps

pytestmark = needs("axolotl", "trl", "addict")


@pytest.mark.parametrize("after_error", ["mask", "wrong"])
def test_every_step_has_its_label(
    after_error: str,
    labelled: list[Trace],
    token_classifier: Any,
    tokenizer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AXOLOTL_DO_NOT_TRACK", "1")
    from axolotl.utils.data.wrappers import get_dataset_wrapper
    from axolotl.utils.dict import DictDefault
    from trl.experimental.prm import PRMConfig, PRMTrainer  # the base of Axolotl's own

    data = loaded(tmp_path, labelled, "stepwise", {"after_error": after_error})
    config = DictDefault(path=str(tmp_path / "dataset"), type="stepwise_supervised")
    whole = DictDefault(sequence_len=4096, process_reward_model=True)
    read, _ = get_dataset_wrapper(config, tokenizer, whole, "stepwise_supervised", data)
    assert len(read) == len(data) > 30
    separator = tokenizer.encode("\n", add_special_tokens=False)[-1]
    for row, seen in zip(data, read, strict=True):
        ends = [i for i, token in enumerate(seen["input_ids"]) if token == separator]
        ends = ends[-len(row["completions"]) :]  # those of the question come before
        assert [seen["labels"][i] for i in ends] == row["labels"]
        kept = [label for label in seen["labels"] if label != -100]
        assert kept == [label for label in row["labels"] if label != -100]
        text = tokenizer.decode(seen["input_ids"][1:])
        assert text == row["prompt"] + "".join(f"{step}\n" for step in row["completions"])
    trainer = PRMTrainer(
        model=token_classifier,
        args=PRMConfig(**two_steps(tmp_path)),
        train_dataset=read,
        processing_class=tokenizer,
    )
    trainer.train()
    losses(trainer)
