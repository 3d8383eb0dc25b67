"""`tokens` in transformers' own Trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prmdata.records import Trace
from tests.trainers.exports import MODEL, loaded, losses, needs, two_steps

pytestmark = needs("transformers", "accelerate", "datasets")


def test_a_token_classifier_trains(
    labelled: list[Trace], token_classifier: Any, tokenizer: Any, tmp_path: Path
) -> None:
    from transformers import DataCollatorForTokenClassification, Trainer, TrainingArguments

    settings = {"tokenizer": MODEL, "after_error": "wrong"}
    data = loaded(tmp_path, labelled, "tokens", settings)
    collate = DataCollatorForTokenClassification(tokenizer)
    trainer = Trainer(
        token_classifier,
        TrainingArguments(**two_steps(tmp_path)),
        train_dataset=data,
        data_collator=collate,
    )
    steps = {trace.id: len(trace.steps) for trace in labelled}
    columns = ("input_ids", "labels")
    for row in data:
        batch = collate([{name: row[name] for name in columns}])
        assert int((batch["labels"] != -100).sum()) == steps[row["trace_id"]]
        assert batch["labels"][0, -1] in (0, 1)  # this tokenizer adds no end mark
    trainer.train()
    losses(trainer)
