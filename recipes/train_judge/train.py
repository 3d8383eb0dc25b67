"""Trains the embedded judge from the embedded policy, on critiques of abacus attempts.

python train.py --out run --minutes 25        # a Hugging Face folder at every fifth of the way
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads ruin a shared machine
sys.path.insert(1, str(Path(__file__).parents[1] / "train_abacus"))

import torch
from critiques import Critiques
from export import export, restore
from muon import Optimizer
from network import Network, Shape
from rows import batches
from words import judging_tokenizer, save

from prmdata.abacus import MODEL

VERDICTS, EMPHASIS = (" right", " wrong"), 12.0
"""One word of some thirty of a step is its verdict, and the rest is soon learned."""
PEAK = 0.5
"""The rate, as a share of what the policy was trained with."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("run"))
    options.add_argument("--minutes", type=float, default=25)
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--eager", action="store_true", help="do not compile the network")
    options.add_argument("--after", type=Path, default=MODEL, help="the folder to start from")
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(asked.seed)
    torch.set_num_threads(asked.threads)
    words = judging_tokenizer()
    size = (words.get_vocab_size() + 31) // 32 * 32
    emphasis = torch.ones(size)
    emphasis[[words.token_to_id(word) for word in VERDICTS]] = EMPHASIS
    model = Network(Shape(size), emphasis).to(torch.bfloat16)
    model.emphasis = emphasis
    restore(model, asked.after)
    compiled = model if asked.eager else torch.compile(model, dynamic=False)
    optimizer = Optimizer(model)
    started, average, read, saved = time.monotonic(), 0.0, 0, 0
    for step, (ids, targets) in enumerate(batches(Critiques(words, asked.seed))):
        done = (time.monotonic() - started) / (60 * asked.minutes)
        if done >= 1:
            break
        loss = compiled(ids, targets)
        loss.backward()
        optimizer.step(PEAK * min(1.0, (step + 1) / 30) * min(1.0, (1 - done) / 0.7))
        read += ids.numel()
        average = loss.item() if step == 0 else 0.95 * average + 0.05 * loss.item()
        if step % 20 == 0:
            seconds = time.monotonic() - started
            print(f"step {step} loss {average:.4f} {read:,} tokens {seconds:.0f} s", flush=True)
        if int(done * 5) > saved:
            saved = int(done * 5)
            keep(model, words, asked.out / f"at-{saved}")
    keep(model, words, asked.out / "last")


def keep(model: Network, words: object, folder: Path) -> None:
    export(model, words, folder)  # type: ignore[arg-type]
    save(words, folder)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
