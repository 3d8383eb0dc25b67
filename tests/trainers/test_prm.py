"""`stepwise` in TRL's PRMTrainer, which later versions do without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prmdata.records import Trace
from tests.trainers.exports import loaded, losses, needs, two_steps

pytestmark = needs("trl.experimental.prm")


def trainer_on(data: Any, model: Any, tokenizer: Any, where: Path) -> Any:
    from trl.experimental.prm import PRMConfig, PRMTrainer

    return PRMTrainer(
        model=model,
        args=PRMConfig(**two_steps(where), max_length=None, max_completion_length=None),
        train_dataset=data,
        processing_class=tokenizer,
    )


@pytest.mark.parametrize("after_error", ["mask", "wrong"])
def test_every_step_has_its_label(
    after_error: str, labelled: list[Trace], token_classifier: Any, tokenizer: Any, tmp_path: Path
) -> None:
    data = loaded(tmp_path, labelled, "stepwise", {"after_error": after_error})
    trainer = trainer_on(data, token_classifier, tokenizer, tmp_path)
    assert len(trainer.train_dataset) == len(data) > 30
    break_ = tokenizer.encode("\n", add_special_tokens=False)[-1]
    for row, seen in zip(data, trainer.train_dataset, strict=True):
        places = [i for i, label in enumerate(seen["labels"]) if label != -100]
        assert [seen["labels"][i] for i in places] == [x for x in row["labels"] if x != -100]
        assert {seen["input_ids"][i] for i in places} == {break_}
        if after_error == "wrong":
            assert len(places) == len(row["completions"])
    trainer.train()
    losses(trainer)


def test_outcomes_as_labels_train_too(
    labelled: list[Trace], token_classifier: Any, tokenizer: Any, tmp_path: Path
) -> None:
    data = loaded(tmp_path, labelled, "value")
    trainer = trainer_on(data, token_classifier, tokenizer, tmp_path)
    trainer.train()
    losses(trainer)


def test_values_as_labels_would_be_cut_to_zero(tokenizer: Any) -> None:
    """Why the export writes whole numbers: this trainer takes .75 and says nothing."""
    from trl.experimental.prm import PRMTrainer

    naive = {"prompt": "a\n", "completions": ["b", "c"], "labels": [0.75, 0.0]}
    how = (tokenizer, "\n", None, None, False, False)
    seen = PRMTrainer.tokenize_row(naive, *how)
    assert [label for label in seen["labels"] if label != -100] == [0, 0]
    with pytest.raises(TypeError):
        PRMTrainer.tokenize_row({**naive, "labels": [1, None]}, *how)
    with pytest.raises(ValueError, match="zip"):
        PRMTrainer.tokenize_row({**naive, "labels": [1]}, *how)
