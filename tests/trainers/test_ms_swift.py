"""`pairs`, `kto`, `sft`, `judge` and `rl` in ms-swift: its loader, and two steps of its trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.records import Trace
from tests.trainers.exports import MODEL, needs

pytestmark = needs("swift", "trl", "modelscope")
OWN = {"layout": "ms-swift"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    monkeypatch.setenv("USE_HF", "1")


def exported(
    where: Path, traces: list[Trace], to: str, settings: dict[str, Any]
) -> tuple[list[str], list[dict[str, Any]]]:
    """The files, and their rows."""
    import pyarrow.parquet as pq

    folder = where / "dataset"
    prmdata.export(traces, output=str(folder), to=to, settings=settings)
    rows: list[dict[str, Any]] = pq.read_table(folder / "data").to_pylist()
    return [str(path) for path in sorted((folder / "data").iterdir())], rows


@pytest.mark.parametrize(
    ("to", "settings", "columns"),
    [
        ("pairs", {**OWN, "margin": True}, ("messages", "rejected_response", "margin")),
        ("pairs", {**OWN, "kind": "outcome"}, ("messages", "rejected_response")),
        ("kto", OWN, ("messages", "label")),
        ("sft", {}, ("messages",)),
        ("judge", {}, ("messages",)),
        ("judge", {"layout": "index"}, ("messages",)),
        ("judge", {"layout": "grounded"}, ("messages",)),
        ("rl", {"trainer": "ms-swift"}, ("messages", "solution")),
        ("rl", {"trainer": "ms-swift", "task": "judge"}, ("messages", "solution")),
    ],
)
def test_every_row_arrives(
    to: str,
    settings: dict[str, Any],
    columns: tuple[str, ...],
    labelled: list[Trace],
    tmp_path: Path,
) -> None:
    from swift.dataset import load_dataset

    files, rows = exported(tmp_path, labelled, to, settings)
    # Its GRPO keeps the columns that its rewards ask for.
    seen, _ = load_dataset(files, strict=True, remove_unused_columns=to != "rl")
    assert len(seen) == len(rows) > 4
    for row, given in zip(rows, seen, strict=True):
        assert {name: given[name] for name in columns} == {name: row[name] for name in columns}


def test_a_prompt_and_its_completion_become_turns(labelled: list[Trace], tmp_path: Path) -> None:
    from swift.dataset import load_dataset

    files, rows = exported(tmp_path, labelled, "sft", {"layout": "prompt"})
    seen, _ = load_dataset(files, strict=True)
    assert [[turn["content"] for turn in given["messages"]] for given in seen] == [
        [row["prompt"], row["completion"]] for row in rows
    ]


@pytest.mark.parametrize(
    ("to", "settings", "how"),
    [
        ("pairs", OWN, "dpo"),
        ("pairs", {**OWN, "margin": True}, "rm"),
        ("kto", OWN, "kto"),
        ("sft", {}, "sft"),
    ],
)
def test_two_steps(
    to: str, settings: dict[str, Any], how: str, labelled: list[Trace], tmp_path: Path
) -> None:
    from swift import rlhf_main, sft_main

    files, _ = exported(tmp_path, labelled, to, settings)
    asked: dict[str, Any] = {
        "model": MODEL,
        "model_type": "llama",
        "template": "llama",
        "tuner_type": "full",
        "torch_dtype": "float32",
        "dataset": " ".join(files),
        "output_dir": tmp_path / "run",
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "max_steps": 2,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "dataset_num_proc": 1,
        "dataloader_num_workers": 0,
    }
    words = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    main = sft_main(words) if how == "sft" else rlhf_main(["--rlhf_type", how, *words])
    steps = [entry for entry in main["log_history"] if "loss" in entry]
    assert len(steps) == 2
    if how == "dpo":
        assert steps[0]["loss"] == pytest.approx(0.693, abs=0.01)
