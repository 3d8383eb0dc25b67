"""The embedded policy as something that learns: a folder in, weighted tokens, a folder out."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "train_abacus"))

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from export import hugging_face_names, restore
from network import Network, Shape
from safetensors.torch import save_file
from torch import Tensor

TOKENS_AT_ONCE = 6000
"""In one forward pass, padding included."""
LONGEST_STEP = 1.0
"""The norm that a gradient is cut to."""


@dataclass(frozen=True)
class Row:
    """A trace in tokens, with a weight for each token of its completion."""

    prompt: Sequence[int]
    completion: Sequence[int]
    weights: Sequence[float]


class Learner:
    def __init__(self, folder: Path, rate: float) -> None:
        self.start = folder
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.network = Network(Shape(config["vocab_size"]))
        restore(self.network, folder)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.0
        )

    def learn(self, rows: Sequence[Row]) -> float:
        """One step up the gradient of Σ weight · log p, by token; the norm of that gradient."""
        tokens = sum(len(row.completion) for row in rows)
        for batch in batches([row for row in rows if any(row.weights)]):
            ids, weights = padded(batch)
            with torch.autocast("cpu", torch.bfloat16):
                chances = log_probabilities(self.network, ids)
            loss = -(weights * chances).sum() / tokens
            loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_STEP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(norm)

    def save(self, folder: Path) -> Path:
        """As a Hugging Face folder, in full precision."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
            shutil.copy(self.start / name, folder / name)
        config = json.loads((self.start / "config.json").read_text(encoding="utf-8"))
        config |= {"dtype": "float32", "torch_dtype": "float32"}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        named = hugging_face_names(self.network)
        weights = {name: part.detach().clone().contiguous() for name, part in named.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return folder


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of about one length together, so that little is padding."""
    batch: list[Row] = []
    for row in sorted(rows, key=lambda row: len(row.prompt) + len(row.completion)):
        longest = len(row.prompt) + len(row.completion)
        if batch and (len(batch) + 1) * longest > TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def padded(rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Tokens, and the weight of each as what is predicted: 0 for prompts and padding."""
    longest = max(len(row.prompt) + len(row.completion) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    weights = torch.zeros(len(rows), longest - 1)
    for number, row in enumerate(rows):
        whole = [*row.prompt, *row.completion]
        ids[number, : len(whole)] = torch.tensor(whole)
        begin = len(row.prompt) - 1
        weights[number, begin : begin + len(row.weights)] = torch.tensor(row.weights)
    return ids, weights


def log_probabilities(network: Network, ids_BT: Tensor) -> Tensor:
    """Of each token but the first, given those before it."""
    inputs = ids_BT[:, :-1]
    x = network.embed(inputs)
    cos, sin = network.cos[: inputs.shape[1]], network.sin[: inputs.shape[1]]
    for block in network.blocks:
        x = block(x, cos, sin)
    logits = F.linear(network.norm(x), network.embed.weight)
    return logits.float().log_softmax(-1).gather(-1, ids_BT[:, 1:, None])[..., 0]
