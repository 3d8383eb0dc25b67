"""The optimizer: Muon for matrices, Adam for the rest.

Muon: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/
"""

from __future__ import annotations

import torch
from network import Network
from torch import Tensor


def newton_schulz(gradient: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix, about: the direction that Muon steps in."""
    X: Tensor = gradient.bfloat16()
    tall = X.shape[0] > X.shape[1]
    X = X.T if tall else X
    X = X / (X.norm() + 1e-7)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * (A @ A)) @ X
    orthogonal: Tensor = (X.T if tall else X).float()
    return orthogonal


class Optimizer:
    """Muon for matrices (q, k, v, gate, up apart), Adam for embeddings and norms; fp32 masters."""

    def __init__(self, model: Network) -> None:
        self.parts = [
            (name, weight, weight.detach().float().clone(), *torch.zeros(2, *weight.shape))
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
