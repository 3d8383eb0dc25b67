"""Logits of given text → what the model thinks in each place: `local/likely.py` in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from prmdata.sampler.embedded.draw import log_softmax
from prmdata.sampler.embedded.weights import Array
from prmdata.sampler.local.scoring import Places
from prmdata.sampler.protocol import LOWEST


def add(places: Places, logits_TV: Array, standing: Sequence[int], top: int) -> None:
    """Some places more, with the tokens that stand there."""
    log_TV = log_softmax(logits_TV).clip(min=LOWEST)
    places.logprobs += log_TV[np.arange(len(log_TV)), list(standing)].tolist()
    if not top:
        return
    best_TK = np.argsort(-log_TV, -1, kind="stable")[:, :top]
    for row_V, best_K in zip(log_TV, best_TK, strict=True):
        places.top.append([(int(token), float(row_V[token])) for token in best_K])
    places.entropies += (-(np.exp(log_TV) * log_TV).sum(-1)).tolist()
    certain_T = -log_TV.mean(-1, dtype=np.float64) - math.log(log_TV.shape[-1])
    places.certainties += certain_T.tolist()
