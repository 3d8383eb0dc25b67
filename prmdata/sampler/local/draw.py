"""Logits → tokens, each row by its own seed: a draw depends on (seed, position, logits) alone."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prmdata.sampler.local.sequences import Draws


def chosen(logits_BV: Tensor, draws: Draws) -> tuple[list[int], list[float]]:
    """A token a row, and the log-probabilities of those in the rows that want them."""
    chosen_B = draw(logits_BV, draws.uniform_B, draws.temperature_B, draws.top_p_B, draws.top_k_B)
    if not draws.wanted:
        return chosen_B.tolist(), []
    rows = torch.tensor(draws.wanted, device=logits_BV.device)
    log_BV = torch.log_softmax(logits_BV[rows], -1)
    return chosen_B.tolist(), log_BV.gather(1, chosen_B[rows, None])[:, 0].tolist()


def draw(
    logits_BV: Tensor,
    uniform_B: NDArray[np.float64],
    temperature_B: NDArray[np.float32],
    top_p_B: NDArray[np.float32],
    top_k_B: NDArray[np.int64],
) -> Tensor:
    """A token a row: inverse of the cumulative distribution, or the best one at temperature 0."""
    device = logits_BV.device
    greedy_B = temperature_B == 0
    if greedy_B.all():
        return logits_BV.argmax(-1)
    temperature_B1 = torch.from_numpy(np.where(greedy_B, 1, temperature_B)).to(device)[:, None]
    # The best token at 0: no temperature, however small, divides it to infinity.
    scaled_BV = (logits_BV - logits_BV.amax(-1, keepdim=True)) / temperature_B1
    if (top_k_B > 0).any() or (top_p_B < 1).any():
        scaled_BV = _restricted(scaled_BV, top_p_B, top_k_B)
    cumulative_BV = torch.softmax(scaled_BV, -1).double().cumsum(-1)
    target_B1 = torch.from_numpy(uniform_B).to(device)[:, None] * cumulative_BV[:, -1:]
    chosen_B = torch.searchsorted(cumulative_BV, target_B1, right=True)[:, 0]
    chosen_B = chosen_B.clamp_(max=logits_BV.shape[-1] - 1)
    if greedy_B.any():
        chosen_B = torch.where(
            torch.from_numpy(greedy_B).to(device), logits_BV.argmax(-1), chosen_B
        )
    return chosen_B


def _restricted(
    scaled_BV: Tensor, top_p_B: NDArray[np.float32], top_k_B: NDArray[np.int64]
) -> Tensor:
    """Only the top-k tokens, then only the smallest set that holds top-p of the mass."""
    device, size = scaled_BV.device, scaled_BV.shape[-1]
    ordered_BV, index_BV = torch.sort(scaled_BV, dim=-1, descending=True, stable=True)
    rank_V = torch.arange(size, device=device)[None]
    limit_B1 = torch.from_numpy(np.where(top_k_B > 0, top_k_B, size)).to(device)[:, None]
    ordered_BV = ordered_BV.masked_fill(rank_V >= limit_B1, float("-inf"))
    mass_BV = torch.softmax(ordered_BV, -1)
    before_BV = mass_BV.double().cumsum(-1) - mass_BV
    # A row without top-p is left alone: its mass, summed with rounding, may pass 1 too early.
    most_B = np.where(top_p_B < 1, top_p_B, np.inf).astype(np.float64)
    over_BV = before_BV >= torch.from_numpy(most_B).to(device)[:, None]
    over_BV[:, 0] = False
    ordered_BV = ordered_BV.masked_fill(over_BV, float("-inf"))
    return torch.empty_like(scaled_BV).scatter_(-1, index_BV, ordered_BV)
