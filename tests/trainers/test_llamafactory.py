"""`pairs`, `sft` and `kto` in LLaMA-Factory: its loader on dataset_info.json, and two steps."""

from __future__ import annotations

import importlib.machinery
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import prmdata
from prmdata.records import Trace
from tests.trainers.exports import MODEL, needs

pytestmark = needs("llamafactory", "trl", "peft")


@pytest.fixture(autouse=True)
def no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """It imports torchaudio for what we do not have; the wheels of that want CUDA's libraries."""
    silent = ModuleType("torchaudio")
    silent.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    monkeypatch.setitem(sys.modules, "torchaudio", silent)


def trained(where: Path, stage: str) -> tuple[Any, list[float]]:
    """What reached the trainer from the folder's dataset, and the losses of two steps."""
    from llamafactory.train.tuner import run_exp
    from transformers import TrainerCallback

    given, losses = [], []

    class Watch(TrainerCallback):
        def on_train_begin(self, *_: Any, train_dataloader: Any, **__: Any) -> None:
            given.append(train_dataloader.dataset)

        def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
            losses.extend([logs["loss"]] if "loss" in logs else [])

    asked = {
        "stage": stage,
        "do_train": True,
        "model_name_or_path": MODEL,
        "finetuning_type": "full",
        "template": "default",
        "dataset_dir": str(where / "dataset"),
        "dataset": "prmdata",
        "cutoff_len": 4096,
        "output_dir": str(where / "run"),
        "per_device_train_batch_size": 2,
        "max_steps": 2,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
    }
    run_exp(asked, callbacks=[Watch()])
    assert len(losses) == 2
    assert all(map(math.isfinite, losses))
    return given[0], losses


def exported(
    where: Path, traces: list[Trace], to: str, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    folder = where / "dataset"
    prmdata.export(
        traces, output=str(folder), to=to, settings={"layout": "llamafactory", **settings}
    )
    rows: list[dict[str, Any]] = pq.read_table(folder / "data").to_pylist()
    return rows


def answer(tokenizer: Any, labels: list[int]) -> str:
    """What is trained on, without the marks that the template puts behind it."""
    text: str = tokenizer.decode([label for label in labels if label != -100])
    return text.removesuffix("\n").removesuffix(tokenizer.eos_token)


@pytest.mark.parametrize("kind", ["step", "outcome"])
def test_dpo(kind: str, labelled: list[Trace], tokenizer: Any, tmp_path: Path) -> None:
    rows = exported(tmp_path, labelled, "pairs", {"kind": kind})
    seen, losses = trained(tmp_path, "dpo")
    assert len(seen) == len(rows) > 4
    for row, given in zip(rows, seen, strict=True):
        for side in ("chosen", "rejected"):
            asked = tokenizer.decode(given[f"{side}_input_ids"])
            assert row["conversations"][0]["value"] in asked
            assert answer(tokenizer, given[f"{side}_labels"]) == row[side]["value"]
    assert losses[0] == pytest.approx(0.693, abs=0.01)


def test_sft(labelled: list[Trace], tokenizer: Any, tmp_path: Path) -> None:
    rows = exported(tmp_path, labelled, "sft", {})
    seen, _ = trained(tmp_path, "sft")
    assert len(seen) == len(rows) > 4
    for row, given in zip(rows, seen, strict=True):
        asked, said = row["conversations"]
        assert asked["value"] in tokenizer.decode(given["input_ids"])
        assert answer(tokenizer, given["labels"]) == said["value"]


def test_kto(labelled: list[Trace], tokenizer: Any, tmp_path: Path) -> None:
    rows = exported(tmp_path, labelled, "kto", {})
    seen, _ = trained(tmp_path, "kto")
    assert len(seen) == len(rows) > 4
    for row, given in zip(rows, seen, strict=True):
        assert answer(tokenizer, given["labels"]) == row["conversations"][1]["value"]
        assert given["kto_tags"] == row["kto_tag"]
    assert {row["kto_tag"] for row in rows} == {True, False}
