"""Logits of given text → what the model thinks in each place, on torch."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from prmdata.sampler.local.scoring import Places
from prmdata.sampler.protocol import LOWEST


def add(places: Places, logits_TV: Tensor, standing: Sequence[int], top: int) -> None:
    """Some places more, with the tokens that stand there."""
    log_TV = torch.log_softmax(logits_TV.float(), -1).clamp(min=LOWEST)
    standing_T1 = torch.tensor(standing, device=log_TV.device)[:, None]
    places.logprobs += log_TV.gather(1, standing_T1)[:, 0].tolist()
    if not top:
        return
    size = log_TV.shape[-1]
    found = torch.topk(log_TV, min(top, size))
    for values, numbers in zip(found.values.tolist(), found.indices.tolist(), strict=True):
        places.top.append(list(zip(numbers, values, strict=True)))
    p_TV = log_TV.exp()
    places.entropies += (-(p_TV * log_TV).sum(-1)).tolist()
    places.certainties += (-log_TV.double().mean(-1) - math.log(size)).tolist()
