"""Given text on its way through the model: what is asked of each place, and what comes of it."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from prmdata.sampler.protocol import LOWEST

ROWS = 256
"""Places whose logits are held at a time: of a large vocabulary each takes a megabyte."""


@dataclass(eq=False)
class Text:
    """One call of `score`."""

    ids: list[int]
    first: int
    """The first token whose probability is asked for, from 1."""
    top: int
    resolve: Callable[[Any], None]
    cancelled: bool = False


@dataclass(eq=False)
class Places:
    """What the model thinks in each place, from the first that was asked for."""

    logprobs: list[float] = field(default_factory=list)
    top: list[list[tuple[int, float]]] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    certainties: list[float] = field(default_factory=list)

    def add(self, logits_TV: Tensor, chosen: list[int], top: int) -> None:
        """Some places more, with the tokens that stand there."""
        log_TV = torch.log_softmax(logits_TV.float(), -1).clamp(min=LOWEST)
        chosen_T1 = torch.tensor(chosen, device=log_TV.device)[:, None]
        self.logprobs += log_TV.gather(1, chosen_T1)[:, 0].tolist()
        if not top:
            return
        size = log_TV.shape[-1]
        found = torch.topk(log_TV, min(top, size))
        for values, numbers in zip(found.values.tolist(), found.indices.tolist(), strict=True):
            self.top.append(list(zip(numbers, values, strict=True)))
        p_TV = log_TV.exp()
        self.entropies += (-(p_TV * log_TV).sum(-1)).tolist()
        self.certainties += (-log_TV.double().mean(-1) - math.log(size)).tolist()
