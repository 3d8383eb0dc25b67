"""Trains the embedded model on two CPU cores and exports it as a Hugging Face folder.

python train.py --out run --steps 2300
"""

from __future__ import annotations

import argparse
import bisect
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads ruin a shared machine

import torch
from documents import Document, Documents, Mixture
from export import export
from network import Network, Shape
from tokens import tokenizer
from torch import Tensor

ROW = 384
ROWS = 21
"""Fixed shapes: documents are packed into rows of `ROW` tokens, about 8k tokens a step."""


def newton_schulz(gradient: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix, about: the direction that Muon steps in."""
    X = gradient.bfloat16()
    tall = X.shape[0] > X.shape[1]
    X = X.T if tall else X
    X = X / (X.norm() + 1e-7)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * (A @ A)) @ X
    return (X.T if tall else X).float()


class Optimizer:
    """Muon for matrices (q, k, v, gate, up apart), Adam for embeddings and norms; fp32 masters."""

    def __init__(self, model: Network) -> None:
        self.parts = [
            (
                name,
                weight,
                weight.detach().float().clone(),
                torch.zeros(weight.shape),
                torch.zeros(weight.shape),
            )
            for name, weight in model.named_parameters()
        ]
        self.steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.steps += 1
        for name, weight, master, first, second in self.parts:
            assert weight.grad is not None
            gradient = weight.grad.float()
            if weight.dim() == 2 and "embed" not in name:
                first.mul_(0.95).add_(gradient)
                pieces = 3 if "qkv" in name else 2 if "gate_up" in name else 1
                nudge = gradient.add(first, alpha=0.95).chunk(pieces, 0)
                scaled = [newton_schulz(p) * max(1, p.shape[0] / p.shape[1]) ** 0.5 for p in nudge]
                master.mul_(1 - 0.02 * rate * 0.02).add_(torch.cat(scaled, 0), alpha=-0.02 * rate)
            else:
                first.mul_(0.9).add_(gradient, alpha=0.1)
                second.mul_(0.97).addcmul_(gradient, gradient, value=0.03)
                corrected = first / (1 - 0.9**self.steps)
                spread = (second / (1 - 0.97**self.steps)).sqrt() + 1e-8
                master.addcdiv_(corrected, spread, value=-4e-3 * rate)
            weight.copy_(master)
            weight.grad = None


def batches(documents: Documents, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Documents packed into full rows, best fit first."""
    shuffle = random.Random(f"rows {documents.seed}")
    made = 0
    while made < steps:
        progress = made / steps
        stream = documents.stream(iter([progress] * 500))
        found = sorted((d for d in stream if len(d[0]) <= ROW + 1), key=lambda d: -len(d[0]))
        rows: list[list[Document]] = []
        free: list[tuple[int, int]] = []
        for document in found:
            at = bisect.bisect_left(free, (len(document[0]), -1))
            space, row = free.pop(at) if at < len(free) else (ROW + 1, len(rows))
            if row == len(rows):
                rows.append([])
            rows[row].append(document)
            bisect.insort(free, (space - len(document[0]), row))
        for packed in rows:
            shuffle.shuffle(packed)  # else short documents would never begin a row
        shuffle.shuffle(rows)
        for start in range(0, len(rows) - ROWS + 1, ROWS):
            yield _tensors(rows[start : start + ROWS])
            made += 1


def _tensors(rows: list[list[Document]]) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(ROWS, ROW + 1, dtype=torch.long)
    targets = torch.full((ROWS, ROW + 1), -100)
    for number, row in enumerate(rows):
        offset = 0
        for tokens, mask in row:
            end = offset + len(tokens)
            values = torch.tensor(tokens)
            ids[number, offset:end] = values
            targets[number, offset:end] = torch.where(torch.tensor(mask), values, -100)
            offset = end
    return ids[:, :-1].contiguous(), targets[:, 1:].contiguous()


def rate_at(step: int, steps: int, hold: float) -> float:
    """Warm up, hold, then straight down to nothing."""
    warm = min(1.0, (step + 1) / 60)
    done = step / steps
    return warm * (1.0 if done < hold else (1 - done) / (1 - hold))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("run"))
    options.add_argument("--steps", type=int, default=2300)
    options.add_argument("--hold", type=float, default=0.4)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(asked.seed)
    torch.set_num_threads(asked.threads)
    words = tokenizer()
    size = (words.get_vocab_size() + 31) // 32 * 32
    model = Network(Shape(size)).to(getattr(torch, asked.dtype))
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, {size} tokens")
    compiled = torch.compile(model, dynamic=False)
    optimizer = Optimizer(model)
    started, average = time.monotonic(), 0.0
    documents = Documents(words, Mixture(), asked.seed)
    for step, (ids, targets) in enumerate(batches(documents, asked.steps)):
        if step >= asked.steps:
            break
        loss = compiled(ids, targets)
        loss.backward()
        optimizer.step(rate_at(step, asked.steps, asked.hold))
        average = loss.item() if step == 0 else 0.95 * average + 0.05 * loss.item()
        if step % 50 == 0 or step == asked.steps - 1:
            seconds = time.monotonic() - started
            speed = (step + 1) * ROW * ROWS / seconds
            print(
                f"step {step} loss {average:.4f} {speed:,.0f} tokens/s {seconds:.0f} s", flush=True
            )
        if (step + 1) % max(1, asked.steps // 5) == 0:
            folder = asked.out / f"step-{step + 1:05d}"
            export(model, words, folder)


if __name__ == "__main__":
    main()
