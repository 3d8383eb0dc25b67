"""Prompts out of blocks of tokens; those that an earlier prompt began with are at hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from prmdata.sampler.local.network import Block, Network, Prompt
from prmdata.sampler.local.scoring import Places, Text

TOKENS_KEPT = 1 << 16

Key = tuple[int, tuple[int, ...]]
"""The number of the block before, and a block's own tokens."""


class Prompts:
    def __init__(self, model: Network) -> None:
        self._model = model
        self._known: OrderedDict[Key, tuple[int, Block]] = OrderedDict()
        self._numbered = 0

    def compute(self, texts: Sequence[list[int]]) -> Sequence[Prompt]:
        return self._model.prompts(self._blocks(texts))

    def score(self, texts: Sequence[Text]) -> list[Places]:
        """What the model thinks of each text."""
        found = self._blocks([text.ids for text in texts])
        return [
            self._model.places(blocks, text.ids, text.first, text.top)
            for blocks, text in zip(found, texts, strict=True)
        ]

    def _blocks(self, texts: Sequence[list[int]]) -> list[list[Block]]:
        """What is not known is computed abreast: first blocks of all texts, then second ones."""
        stride = self._model.stride
        found: list[list[Block]] = [[] for _ in texts]
        before = [0] * len(texts)
        for start in range(0, max(map(len, texts)), stride):
            keys: dict[int, Key] = {
                i: (before[i], tuple(ids[start : start + stride]))
                for i, ids in enumerate(texts)
                if start < len(ids)
            }
            fresh = {key: found[i] for i, key in keys.items() if key not in self._known}
            blocks = self._model.blocks([(key[1], past) for key, past in fresh.items()])
            for key, block in zip(fresh, blocks, strict=True):
                self._numbered += 1
                self._known[key] = self._numbered, block
            for i, key in keys.items():
                self._known.move_to_end(key)
                before[i], block = self._known[key]
                found[i].append(block)
        while len(self._known) * stride > TOKENS_KEPT:
            self._known.popitem(last=False)
        return found
