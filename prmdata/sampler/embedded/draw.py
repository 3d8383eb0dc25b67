"""Logits → tokens on numpy, each row by its own seed: `prmdata.sampler.local.draw` in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prmdata.sampler.embedded.weights import Array
from prmdata.sampler.local.sequences import Draws


def draw(logits_BV: Array, draws: Draws) -> tuple[list[int], list[float]]:
    """A token a row: inverse of the cumulative distribution, or the best one at temperature 0;
    and the log-probabilities of those in the rows that want them."""
    best_B = logits_BV.argmax(-1)
    greedy_B = draws.temperature_B == 0
    temperature_B1 = np.where(greedy_B, np.float32(1), draws.temperature_B)[:, None]
    # The best token at 0: no temperature, however small, divides it to infinity.
    with np.errstate(over="ignore"):
        scaled_BV = (logits_BV - logits_BV.max(-1, keepdims=True)) / temperature_B1
    mass_BV = np.exp(scaled_BV)
    if (draws.top_k_B > 0).any() or (draws.top_p_B < 1).any():
        mass_BV = _restricted(mass_BV, draws)
    cumulative_BV = mass_BV.cumsum(-1, dtype=np.float64)
    target_B1 = draws.uniform_B[:, None] * cumulative_BV[:, -1:]
    drawn_B = (cumulative_BV <= target_B1).sum(-1).clip(max=logits_BV.shape[-1] - 1)
    chosen_B = np.where(greedy_B, best_B, drawn_B)
    rows = np.array(draws.wanted, dtype=np.int64)
    logprobs = log_softmax(logits_BV[rows])[np.arange(len(rows)), chosen_B[rows]]
    return chosen_B.tolist(), logprobs.tolist()


def log_softmax(logits_BV: Array) -> Array:
    scaled_BV = logits_BV - logits_BV.max(-1, keepdims=True)
    logs: Array = scaled_BV - np.log(np.exp(scaled_BV).sum(-1, keepdims=True))
    return logs


def _restricted(mass_BV: Array, draws: Draws) -> NDArray[np.float32]:
    """Only the top-k tokens, then only the smallest set that holds top-p of the mass."""
    size = mass_BV.shape[-1]
    index_BV = np.argsort(-mass_BV, -1, kind="stable")
    ordered_BV = np.take_along_axis(mass_BV, index_BV, -1)
    limit_B1 = np.where(draws.top_k_B > 0, draws.top_k_B, size)[:, None]
    ordered_BV[np.arange(size) >= limit_B1] = 0
    cumulative_BV = ordered_BV.cumsum(-1, dtype=np.float64)
    # A row without top-p is left alone: its mass, summed with rounding, may pass 1 too early.
    most_B1 = np.where(draws.top_p_B < 1, draws.top_p_B, np.inf)[:, None]
    over_BV = cumulative_BV - ordered_BV >= most_B1 * cumulative_BV[:, -1:]
    over_BV[:, 0] = False
    ordered_BV[over_BV] = 0
    restricted_BV = np.empty_like(mass_BV)
    np.put_along_axis(restricted_BV, index_BV, ordered_BV, -1)
    return restricted_BV
