"""Exported labels → reward models → their scores of every step of the held-out traces.

python train.py run --seeds 3
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import torch
from labels import LABELS
from transformers import AutoModelForTokenClassification

import prmdata
from prmdata.dataset.tokens import Tokens
from prmdata.records import Labels
from prmdata.sampler import ABACUS_MODEL

Row = dict[str, list[int]]
IGNORED = -100
RATE = 3e-4
BATCH = 16


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--jobs", type=int, default=2, help="models at once, a core each")
    asked = options.parse_args()
    (asked.run / "scores").mkdir(exist_ok=True)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, spawned) as pool:
        futures = [
            pool.submit(run, asked.run, name, seed, asked.epochs)
            for seed, name in itertools.product(range(asked.seeds), LABELS)
            if not scores_at(asked.run, name, seed).exists()
        ]
        for future in as_completed(futures):
            print(future.result(), flush=True)


def scores_at(folder: Path, name: str, seed: int) -> Path:
    return folder / "scores" / f"{name}-{seed}.json"


def run(folder: Path, name: str, seed: int, epochs: int) -> str:
    """One model, trained and asked. One thread: two small models are faster than one on two."""
    torch.set_num_threads(1)
    begun = time.monotonic()
    rows = exported(folder / "labels" / name, last_only=name == "outcome")
    with torch.autocast("cpu", torch.bfloat16):
        scores = score(trained(rows, epochs, seed), places(folder / "held.parquet"))
    scores_at(folder, name, seed).write_text(json.dumps(scores), encoding="utf-8")
    return f"{name}, seed {seed}: {time.monotonic() - begun:.0f} s"


def exported(folder: Path, *, last_only: bool) -> list[Row]:
    """As prmdata wrote them; for outcomes, without what is said of the steps before the last."""
    rows = list(datasets.load_dataset(str(folder))["train"])
    if last_only:
        for row in rows:
            end = max(i for i, label in enumerate(row["labels"]) if label != IGNORED)
            row["labels"] = [IGNORED] * end + row["labels"][end:]
    return rows


def places(path: Path) -> dict[str, Row]:
    """The held-out traces' tokens, with a mark at the end of every step."""
    form = Tokens(str(ABACUS_MODEL))
    marked = (replace(t, correct=None, labels=Labels("place")) for t in prmdata.read(path))
    return {trace.id: form.row(trace) for trace in marked}


def trained(rows: Sequence[Row], epochs: int, seed: int) -> Any:
    """The embedded model with a new head, all of it trained."""
    torch.manual_seed(seed)
    model = AutoModelForTokenClassification.from_pretrained(
        ABACUS_MODEL, num_labels=2, dtype=torch.float32
    )
    order = random.Random(seed)
    batches = [batch for _ in range(epochs) for batch in batched(rows, order)]
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, len(batches), pct_start=0.1)
    for batch in batches:
        loss = model(input_ids=padded(batch, "input_ids", 0), labels=padded(batch)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return model.eval()


def batched(rows: Sequence[Row], order: random.Random) -> list[list[Row]]:
    """In a new order each time; rows of like length together, so that little is padding."""
    near = sorted(rows, key=lambda row: len(row["input_ids"]) + order.random() * 16)
    batches = [near[i : i + BATCH] for i in range(0, len(near), BATCH)]
    order.shuffle(batches)
    return batches


def padded(batch: Sequence[Row], column: str = "labels", fill: int = IGNORED) -> torch.Tensor:
    """On the right: a causal model needs no mask for that."""
    size = max(len(row[column]) for row in batch)
    return torch.tensor([row[column] + [fill] * (size - len(row[column])) for row in batch])


@torch.inference_mode()
def score(model: Any, held: dict[str, Row]) -> dict[str, list[float]]:
    """For every trace, the probability after each step that all is right so far."""
    texts: dict[tuple[int, ...], list[str]] = {}
    for name, row in held.items():
        texts.setdefault(tuple(row["input_ids"]), []).append(name)
    rows = [held[names[0]] for names in texts.values()]
    found = dict(zip(texts, scored(model, rows), strict=True))
    return {name: found[ids] for ids, names in texts.items() for name in names}


def scored(model: Any, rows: Sequence[Row]) -> Iterator[list[float]]:
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    values: dict[int, list[float]] = {}
    for start in range(0, len(rows), 64):
        some = by_length[start : start + 64]
        logits_BTC = model(input_ids=padded([rows[i] for i in some], "input_ids", 0)).logits
        right_BT = logits_BTC.float().softmax(-1)[..., 1]
        for i, right_T in zip(some, right_BT, strict=True):
            ends = [t for t, label in enumerate(rows[i]["labels"]) if label != IGNORED]
            values[i] = [round(float(p), 5) for p in right_T[ends]]
    return (values[i] for i in range(len(rows)))


if __name__ == "__main__":
    main()
