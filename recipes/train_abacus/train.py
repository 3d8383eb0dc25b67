"""Trains the embedded model on two CPU cores and exports it as a Hugging Face folder.

python train.py --out run --steps 2300
python train.py --out run-on --steps 700 --seed 2 --after run/step-02300    # goes on from there
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads ruin a shared machine

import torch
from agents import Agents
from documents import HABITS, Documents, Mixture
from export import export, restore
from muon import Optimizer
from network import Network, Shape
from packing import AGENT_ROW, AGENT_ROWS, ROW, ROWS, Source, batches
from tokens import AGENT_TEMPLATE, TEMPLATE, agent_tokenizer, tokenizer

HOLD = 0.4
"""The share of the steps at the full rate."""
RESTART = 0.7
"""How far along its schedule a run begins that goes on from a checkpoint: at half the rate."""


def rate_at(step: int, steps: int, start: float = 0.0) -> float:
    """Warm up, hold, then straight down to nothing."""
    warm = min(1.0, (step + 1) / 60)
    done = start + (1 - start) * step / steps
    return warm * min(1.0, (1 - done) / (1 - HOLD))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("run"))
    options.add_argument("--steps", type=int, default=2300)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--after", type=Path, help="a checkpoint to go on from")
    options.add_argument("--habits", action="store_true", help="learn to slip, as the last thing")
    options.add_argument("--agent", action="store_true", help="learn to act with tools")
    options.add_argument("--slips", type=float, default=0.2, help="share of episodes with a slip")
    options.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(asked.seed)
    torch.set_num_threads(asked.threads)
    words = agent_tokenizer() if asked.agent else tokenizer()
    vocabulary = (words.get_vocab_size() + 31) // 32 * 32
    model = Network(Shape(vocabulary)).to(getattr(torch, asked.dtype))
    start = 0.0
    if asked.after:
        restore(model, asked.after)
        start = RESTART
    print(
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, {vocabulary} tokens"
    )
    compiled = torch.compile(model, dynamic=False)
    optimizer = Optimizer(model)
    started, average = time.monotonic(), 0.0
    documents: Source = Documents(words, HABITS if asked.habits else Mixture(), asked.seed)
    if asked.agent:
        documents = Agents(words, asked.seed, asked.slips)
    size = (AGENT_ROW, AGENT_ROWS) if asked.agent else (ROW, ROWS)
    template = AGENT_TEMPLATE if asked.agent else TEMPLATE
    seen = 0
    for step, (ids, targets) in enumerate(batches(documents, asked.steps, start, *size)):
        if step >= asked.steps:
            break
        loss = compiled(ids, targets)
        loss.backward()
        optimizer.step(rate_at(step, asked.steps, start))
        seen += ids.numel()
        average = loss.item() if step == 0 else 0.95 * average + 0.05 * loss.item()
        if step % 50 == 0 or step == asked.steps - 1:
            seconds = time.monotonic() - started
            speed = seen / seconds
            print(
                f"step {step} loss {average:.4f} {speed:,.0f} tokens/s {seconds:.0f} s", flush=True
            )
        if (step + 1) % max(1, asked.steps // 5) == 0:
            folder = asked.out / f"step-{step + 1:05d}"
            export(model, words, folder, template)


if __name__ == "__main__":
    main()
