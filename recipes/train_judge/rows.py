"""Critiques → batches of one fixed shape, so that the compiled network is compiled once."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from critiques import Critiques, Document
from torch import Tensor

ROW, ROWS = 512, 12


def batches(critiques: Critiques) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of several documents each, none of them cut."""
    shuffle = random.Random(f"rows {critiques.seed}")
    stream = critiques.documents()
    while True:
        found = [d for d in (next(stream) for _ in range(200)) if len(d[0]) <= ROW + 1]
        rows: list[list[Document]] = []
        for document in sorted(found, key=lambda d: -len(d[0])):
            fits = (r for r in rows if sum(len(d[0]) for d in r) + len(document[0]) <= ROW + 1)
            row = next(fits, None)
            if row is None:
                rows.append([document])
            else:
                row.append(document)
        for row in rows:
            shuffle.shuffle(row)
        shuffle.shuffle(rows)
        for start in range(0, len(rows) - ROWS + 1, ROWS):
            yield tensors(rows[start : start + ROWS])


def tensors(rows: list[list[Document]]) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(len(rows), ROW + 1, dtype=torch.long)
    targets = torch.full((len(rows), ROW + 1), -100)
    for number, row in enumerate(rows):
        offset = 0
        for tokens, mask in row:
            end = offset + len(tokens)
            values = torch.tensor(tokens)
            ids[number, offset:end] = values
            targets[number, offset:end] = torch.where(torch.tensor(mask), values, -100)
            offset = end
    return ids[:, :-1].contiguous(), targets[:, 1:].contiguous()
