"""Continuous batching of a Llama: sequences come and go while the batch runs."""

from __future__ import annotations

from collections import deque

from prmdata.sampler.local.network import Network
from prmdata.sampler.local.prompts import Prompts
from prmdata.sampler.local.scoring import Text
from prmdata.sampler.local.sequences import Request, Sequence, extend
from prmdata.sampler.local.tokenizer import TextTokenizer

PROMPTS = 32
"""Prompts that are computed together, at most."""


class Batch:
    """The sequences that run, dense in the first rows of the cache, and those that wait."""

    def __init__(self, model: Network, tokenizer: TextTokenizer, most: int) -> None:
        self.model, self.tokenizer, self.most = model, tokenizer, most
        self.waiting: deque[Request] = deque()
        self.texts: deque[Text] = deque()
        self.running: list[Sequence] = []
        self.cache = model.cache()
        self._prompts = Prompts(model)

    @property
    def context(self) -> int:
        return self.model.context

    @property
    def busy(self) -> bool:
        return bool(self.running or self.waiting or self.texts)

    def score(self) -> None:
        """The texts that wait, as many as are computed together."""
        texts = [self.texts.popleft() for _ in range(min(PROMPTS, len(self.texts)))]
        texts = [text for text in texts if not text.cancelled]
        if texts:
            for text, places in zip(texts, self._prompts.score(texts), strict=True):
                text.resolve(places)

    def admit(self) -> None:
        """Begin what there is room for. A prompt is computed once for all its samples."""
        while fresh := self._next():
            prompts = self._prompts.compute([samples[0].request.ids for samples in fresh])
            begun = [
                (sample, prompt)
                for samples, prompt in zip(fresh, prompts, strict=True)
                for sample in samples
            ]
            first_row = len(self.running)
            self.running += [sample for sample, _ in begun]
            rows = max(len(self.running), self.model.fewest_rows)
            self.cache.fit(rows, max(s.length for s in self.running) + 1, first_row)
            for row, (_, prompt) in enumerate(begun, first_row):
                self.cache.put(row, prompt)
            logits_BV = self.model.joined([prompt for _, prompt in begun])
            extend(self.running[first_row:], logits_BV, self.model.draw)
            self._leave(first_row)

    def step(self) -> None:
        """One token for every running sequence."""
        if not self.running:
            return
        rows = max(len(self.running), self.model.fewest_rows)
        spare = rows - len(self.running)
        ids = [s.ids[-1] for s in self.running] + [0] * spare
        positions = [s.length - 1 for s in self.running] + [0] * spare
        self.cache.fit(rows, max(positions) + 1, len(self.running))
        logits_BV = self.model.step(ids, positions, self.cache)
        extend(self.running, logits_BV[: len(self.running)], self.model.draw)
        self._leave(0)

    def cancel(self, request: Request) -> None:
        request.cancelled = True
        self._leave(0)

    def _next(self) -> list[list[Sequence]]:
        """What begins now, by request."""
        fresh: list[list[Sequence]] = []
        free = self.most - len(self.running)
        while self.waiting and free and len(fresh) < PROMPTS:
            request = self.waiting[0]
            samples = [] if request.cancelled else request.begin(free)
            free -= len(samples)
            if request.cancelled or request.begun == request.n:
                self.waiting.popleft()
            if samples:
                fresh.append(samples)
        return fresh

    def _leave(self, first: int) -> None:
        """Sequences that are over leave; the last row moves into the gap."""
        row = first
        while row < len(self.running):
            sequence = self.running[row]
            if not sequence.over(self.tokenizer):
                row += 1
                continue
            last = self.running.pop()
            if row < len(self.running):
                self.running[row] = last
                self.cache.move(len(self.running), row, last.length - 1)
            sequence.hand_over()
