"""Documents → batches of one fixed shape, so that the compiled network is compiled once."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterator
from typing import Protocol

import torch
from documents import Document
from torch import Tensor

ROW, ROWS = 384, 21
"""Documents are packed into rows of `ROW` tokens, about 8k tokens a step."""
AGENT_ROW, AGENT_ROWS = 512, 8
"""The agent learns from half as many."""


class Source(Protocol):
    seed: int

    def stream(self, progress: Iterator[float]) -> Iterator[Document]: ...


def batches(
    documents: Source, steps: int, start: float = 0.0, length: int = ROW, count: int = ROWS
) -> Iterator[tuple[Tensor, Tensor]]:
    """Documents packed into full rows, best fit first; `start` is how far training has come."""
    shuffle = random.Random(f"rows {documents.seed}")
    made = 0
    while made < steps:
        progress = start + (1 - start) * made / steps
        stream = documents.stream(iter([progress] * 500))
        found = sorted((d for d in stream if len(d[0]) <= length + 1), key=lambda d: -len(d[0]))
        rows: list[list[Document]] = []
        free: list[tuple[int, int]] = []
        for document in found:
            at = bisect.bisect_left(free, (len(document[0]), -1))
            space, row = free.pop(at) if at < len(free) else (length + 1, len(rows))
            if row == len(rows):
                rows.append([])
            rows[row].append(document)
            bisect.insort(free, (space - len(document[0]), row))
        for packed in rows:
            shuffle.shuffle(packed)  # else short documents would never begin a row
        shuffle.shuffle(rows)
        for start in range(0, len(rows) - count + 1, count):
            yield _tensors(rows[start : start + count], length)
            made += 1


def _tensors(rows: list[list[Document]], length: int) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(len(rows), length + 1, dtype=torch.long)
    targets = torch.full((len(rows), length + 1), -100)
    for number, row in enumerate(rows):
        offset = 0
        for tokens, mask in row:
            end = offset + len(tokens)
            values = torch.tensor(tokens)
            ids[number, offset:end] = values
            targets[number, offset:end] = torch.where(torch.tensor(mask), values, -100)
            offset = end
    return ids[:, :-1].contiguous(), targets[:, 1:].contiguous()
