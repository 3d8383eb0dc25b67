"""Teaches the embedded policy its right traces, or repaired ones, and measures what it does then.

python train.py run/repaired.jsonl --arm repaired --seed 1 --out run

Every arm learns from as many traces, and as often, so that what differs is which ones they are.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "rl_credit"))

import torch
from learner import Learner
from rows import grouped, rows_of, same_for_all

import prmdata
from prmdata.abacus import MODEL
from prmdata.records import Trace

MEASURED = 7800
"""The seed of the problems that are measured on; the traces are of others."""
ARMS = ("start", "right", "repaired", "both")
BATCH = 64


def chosen(traces: Sequence[Trace], arm: str, count: int, chance: random.Random) -> list[Trace]:
    """As many traces for every arm."""
    right = [t for t in traces if t.correct and t.origin.parent is None]
    repaired = [t for t in traces if t.correct and t.origin.parent is not None]
    chance.shuffle(right)
    chance.shuffle(repaired)
    if arm == "both":
        half = count // 2
        return [*right[:half], *repaired[: count - half]]
    return (right if arm == "right" else repaired)[:count]


def taught(traces: Sequence[Trace], epochs: int, rate: float, chance: random.Random) -> Learner:
    learner = Learner(MODEL, rate)
    paid = [same_for_all(trace, 1.0) for trace in traces]
    rows = rows_of(paid, MODEL) if paid else []
    for _ in range(epochs):
        chance.shuffle(rows)
        for begin in range(0, len(rows), BATCH):
            learner.learn(rows[begin : begin + BATCH])
    return learner


def measured(folder: Path, problems: int, threads: int) -> list[int]:
    """How many of four samples of each problem are right."""
    source, engine = f"abacus:{problems}?seed={MEASURED}", {"threads": str(threads)}
    traces = prmdata.generate(source, samples=4, sampler=f"local:{folder}", seed=1, engine=engine)
    return [sum(trace.correct is True for trace in group) for group in grouped(traces)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("repaired", type=Path, help="what `prmdata repair` wrote")
    options.add_argument("--arm", choices=ARMS, default="repaired")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path("run"))
    options.add_argument("--traces", type=int, default=320)
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--rate", type=float, default=2e-4)
    options.add_argument("--held", type=int, default=100, help="problems that are measured on")
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(asked.threads)
    chance = random.Random(f"{asked.arm} {asked.seed}")
    traces = [t for t in prmdata.read(asked.repaired) if t.error is None]
    some = [] if asked.arm == "start" else chosen(traces, asked.arm, asked.traces, chance)
    learner = taught(some, asked.epochs, asked.rate, chance)
    with tempfile.TemporaryDirectory() as folder:
        right = measured(learner.save(Path(folder)), asked.held, asked.threads)
    found = {
        **{"arm": asked.arm, "seed": asked.seed, "traces": len(some)},
        "problems": len({trace.problem.id for trace in some}),
        "right": right,
    }
    path = asked.out / f"{asked.arm}-{asked.seed}.json"
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print(f"{asked.arm} {asked.seed}: {len(some)} traces, pass@1 {sum(right) / 4 / len(right):.3f}")


if __name__ == "__main__":
    main()
