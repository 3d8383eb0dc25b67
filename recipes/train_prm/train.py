"""Exported labels → reward models → their scores of every step of the held-out traces.

python train.py run ../compare_methods/data/traces.parquet --seeds 3
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import datasets
import numpy as np
import torch
from features import STATES, Steps, features
from labels import LABELS

import prmdata

IGNORED = -100
HIDDEN, DROPOUT, EPOCHS, BATCH, RATE, DECAY = 64, 0.3, 30, 256, 1e-3, 0.1
Array = np.ndarray


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("traces", help="those that the labels are of")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--surprise", action="store_true", help="learn on the surprise alone")
    asked = options.parse_args()
    known, held = (cached(asked.run, path) for path in (asked.traces, asked.run / "held.parquet"))
    into = asked.run / ("surprise" if asked.surprise else "scores")
    into.mkdir(exist_ok=True)
    used = slice(STATES, None) if asked.surprise else slice(None)
    for name in LABELS:
        begun = time.monotonic()
        x, y = examples(asked.run / "labels" / name, known, last_only=name == "outcome")
        middle, spread = x.mean(0), x.std(0) + 1e-4
        for seed in range(asked.seeds):
            model = trained((x - middle)[:, used] / spread[used], y, seed)
            scores = {
                trace: score(model, (steps - middle)[:, used] / spread[used])
                for trace, steps in held.items()
            }
            (into / f"{name}-{seed}.json").write_text(json.dumps(scores), encoding="utf-8")
        print(f"{name}: {asked.seeds} seeds, {time.monotonic() - begun:.0f} s", flush=True)


def cached(run: Path, path: str | Path) -> Steps:
    """Features of the traces at `path`, kept in the run's folder."""
    kept = run / f"{Path(path).stem}.npz"
    if not kept.exists():
        begun = time.monotonic()
        traces = [trace for trace in prmdata.read(str(path)) if trace.error is None and trace.steps]
        np.savez(kept, **features(traces))  # type: ignore[arg-type]
        print(f"features of {len(traces):,} traces: {time.monotonic() - begun:.0f} s", flush=True)
    with np.load(kept) as arrays:
        return dict(arrays)


def examples(folder: Path, known: Steps, *, last_only: bool) -> tuple[Array, Array]:
    """Every labelled step, as prmdata exported it; for outcomes, the last of each trace."""
    rows = datasets.load_dataset(str(folder))["train"]
    pairs = list(itertools.chain.from_iterable(_steps(row, known, last_only) for row in rows))
    return np.stack([x for x, _ in pairs]), np.array([y for _, y in pairs], np.float32)


def _steps(row: dict, known: Steps, last_only: bool) -> Iterator[tuple[Array, int]]:
    labels = [label for label in row["labels"] if label != IGNORED]
    steps = known[row["trace_id"]]
    if last_only:
        yield steps[-1], labels[-1]
    else:  # those after the first wrong step are masked
        yield from zip(steps, labels, strict=False)


def trained(x: Array, y: Array, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    inputs, targets = torch.tensor(x), torch.tensor(y)
    model = torch.nn.Sequential(
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(inputs.shape[1], HIDDEN),
        torch.nn.GELU(),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(HIDDEN, 1),
    )
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(inputs)).split(BATCH):
            logits = model(inputs[some])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def score(model: torch.nn.Module, steps: Array) -> list[float]:
    """The probability after each step that all is right so far."""
    return [round(float(p), 5) for p in model(torch.tensor(steps))[:, 0].sigmoid()]


if __name__ == "__main__":
    main()
