"""Continuous batching: requests come and go while the batch runs, in a thread of its own."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.fingerprint import folder_fingerprint
from prmdata.sampler.local.draw import draw, uniforms
from prmdata.sampler.local.hardware import choose_device, choose_dtype, use_threads
from prmdata.sampler.local.llama import Block, Cache, Llama, Prompt
from prmdata.sampler.local.words import LEAD, Words, cut_at
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.rendering import read_template

BLOCK_TOKENS_KEPT = 1 << 16


@dataclass(eq=False)
class Request:
    """One call of `complete`."""

    ids: list[int]
    n: int
    sampling: Sampling
    seed: int
    room: int
    """Tokens that may be generated."""
    resolve: Callable[[Any], None]
    begun: int = 0
    done: dict[int, Completion] = field(default_factory=dict)
    cancelled: bool = False


@dataclass(eq=False)
class Sequence:
    """One sample of a request, while it runs."""

    request: Request
    number: int
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.request.ids) + len(self.ids)


class LocalSampler:
    def __init__(
        self, folder: Path, *, spec: str, dtype: str, device: str, max_sequences: int, threads: int
    ) -> None:
        use_threads(threads)
        on = choose_device(device)
        number = choose_dtype(dtype, on)
        name = str(number).removeprefix("torch.")
        self.spec = spec
        self.fingerprint = f"{folder_fingerprint(folder)}-{on.type}-{name}"
        self.template = read_template(folder)
        self._words = Words(folder)
        self._model = Llama(folder, number, on)
        self.context = self._model.shape.context
        self._batch = Batch(self._model, self._words, max_sequences)
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiters: dict[asyncio.Future[Any], Callable[[Any], None]] = {}
        self._stopped: str | None = None
        self._thread = threading.Thread(target=self._work, name="prmdata-model", daemon=True)
        self._thread.start()

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        ids = self._words.encode(prefix)
        room = min(sampling.max_tokens, self.context - len(ids))
        if room <= 0 or not ids:
            raise ItemError(
                f"the prefix takes {len(ids):,} tokens of a context of {self.context:,}; nothing "
                "can follow it"
            )
        if n < 1:
            return []
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        request = Request(ids, n, sampling, seed, room, _resolver(done))
        try:
            return list(await self._answer(done, lambda: self._batch.waiting.append(request)))
        except asyncio.CancelledError:
            self._inbox.put(lambda: self._batch.cancel(request))
            raise

    async def score(self, prefix: str, text: str) -> list[float]:
        """Tokens of `prefix + text` from the first that differs from those of `prefix` alone."""
        alone, ids = self._words.encode(prefix), self._words.encode(prefix + text)
        pairs = zip(alone, ids, strict=False)
        first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(alone), len(ids)))
        if len(ids) > self.context:
            raise ItemError(
                f"{len(ids):,} tokens to score do not fit a context of {self.context:,}"
            )
        if first == 0:
            raise ItemError("the first token of a text has no probability; give a longer prefix")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        resolve = _resolver(done)
        if first == len(ids):
            return []
        return list(await self._answer(done, lambda: resolve(self._model.logprobs(ids, first))))

    async def close(self) -> None:
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _answer(self, done: asyncio.Future[Any], task: Callable[[], None]) -> Any:
        """What the model's thread makes of `task`, or the reason why it stopped."""
        resolve = _resolver(done)
        with self._lock:
            if self._stopped is not None:
                raise SamplerError(self._stopped)
            self._waiters[done] = resolve
        self._inbox.put(task)
        try:
            return await done
        finally:
            with self._lock:
                self._waiters.pop(done, None)

    def _work(self) -> None:
        reason = f"{self.spec}: the model is closed"
        try:
            while self._take(wait=not self._batch.busy):
                self._batch.admit()
                self._batch.step()
        except BaseException as error:  # noqa: BLE001  told to everyone who waits
            reason = f"{self.spec}: the model has stopped ({type(error).__name__}: {error})"
        with self._lock:
            self._stopped = reason
            for resolve in self._waiters.values():
                resolve(SamplerError(reason))

    def _take(self, *, wait: bool) -> bool:
        """Tasks from the inbox; whether to go on."""
        while True:
            try:
                task = self._inbox.get(block=wait)
            except queue.Empty:
                return True
            if task is None:
                return False
            task()
            wait = False


class Batch:
    """The sequences that run, dense in the first rows of the cache, and those that wait."""

    def __init__(self, model: Llama, words: Words, most: int) -> None:
        self.model, self.words, self.most = model, words, most
        self.waiting: deque[Request] = deque()
        self.running: list[Sequence] = []
        self.cache = Cache(model.shape, model.kept, model.device)
        self._blocks: OrderedDict[tuple[int, tuple[int, ...]], tuple[int, Block]] = OrderedDict()
        """By the number of the block before, and its own tokens."""
        self._numbered = 0

    @property
    def busy(self) -> bool:
        return bool(self.running or self.waiting)

    def admit(self) -> None:
        """Begin what there is room for. A prompt is computed once for all its samples."""
        while self.waiting and len(self.running) < self.most:
            request = self.waiting[0]
            if request.cancelled:
                self.waiting.popleft()
                continue
            prompt = self._prompt(request.ids)
            fresh = [
                Sequence(request, number)
                for number in range(
                    request.begun, min(request.n, request.begun + self.most - len(self.running))
                )
            ]
            request.begun += len(fresh)
            if request.begun == request.n:
                self.waiting.popleft()
            first_row = len(self.running)
            rows = max(first_row + len(fresh), self.model.fewest_rows)
            longest = max((s.length for s in self.running), default=0)
            self.cache.fit(rows, max(longest, prompt.length + 1), first_row)
            for row in range(first_row, first_row + len(fresh)):
                self.cache.put(row, prompt)
            self.running += fresh
            self._extend(fresh, prompt.logits.expand(len(fresh), -1))
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
        device = self.model.device
        logits_BV = self.model.step(
            torch.tensor(ids, device=device),
            torch.tensor(positions, device=device),
            self.cache,
        )
        self._extend(self.running, logits_BV[: len(self.running)])
        self._leave(0)

    def cancel(self, request: Request) -> None:
        request.cancelled = True
        self._leave(0)

    def _prompt(self, ids: list[int]) -> Prompt:
        """A prompt out of blocks; those that an earlier prompt began with are at hand."""
        stride = self.model.stride
        found: list[Block] = []
        before = 0
        for start in range(0, len(ids), stride):
            part = tuple(ids[start : start + stride])
            known = self._blocks.pop((before, part), None)
            if known is None:
                self._numbered += 1
                known = self._numbered, self.model.block(list(part), found)
            self._blocks[before, part] = known
            before = known[0]
            found.append(known[1])
        while len(self._blocks) > max(BLOCK_TOKENS_KEPT // stride, len(found)):
            self._blocks.popitem(last=False)
        return self.model.prompt(found)

    def _extend(self, sequences: list[Sequence], logits_BV: torch.Tensor) -> None:
        asked = [s.request.sampling for s in sequences]
        seeds = np.array(
            [(s.request.seed + s.number) % (1 << 64) for s in sequences], dtype=np.uint64
        )
        places = np.array([len(s.ids) for s in sequences], dtype=np.uint64)
        chosen = draw(
            logits_BV,
            uniforms(seeds, places),
            np.array([a.temperature for a in asked], dtype=np.float32),
            np.array([a.top_p for a in asked], dtype=np.float32),
            np.array([a.top_k for a in asked], dtype=np.int64),
        )
        for sequence, token in zip(sequences, chosen.tolist(), strict=True):
            sequence.ids.append(token)
        wanted = [row for row, a in enumerate(asked) if a.logprobs]
        if wanted:
            rows = torch.tensor(wanted, device=logits_BV.device)
            log_BV = torch.log_softmax(logits_BV[rows], -1)
            chosen_logprobs = log_BV.gather(1, chosen[rows, None])[:, 0].tolist()
            for row, value in zip(wanted, chosen_logprobs, strict=True):
                sequences[row].logprobs.append(value)

    def _leave(self, first: int) -> None:
        """Sequences that have ended leave; the last row moves into the gap."""
        row = first
        while row < len(self.running):
            sequence = self.running[row]
            ending = None if sequence.request.cancelled else self._ending(sequence)
            if ending is None and not sequence.request.cancelled:
                row += 1
                continue
            last = self.running.pop()
            if row < len(self.running):
                self.running[row] = last
                self.cache.move(len(self.running), row, last.length - 1)
            if ending is not None:
                self._finished(sequence, ending)

    def _ending(self, sequence: Sequence) -> Completion | None:
        request, ids = sequence.request, sequence.ids
        ended = ids[-1] in self.words.ends
        lead = request.ids[-LEAD:]
        stopped = not ended and self.words.stops(lead, ids, request.sampling.stop)
        if not ended and not stopped and len(ids) < request.room:
            return None
        text = self.words.continuation(lead, ids[:-1] if ended else ids)
        return Completion(
            text=cut_at(text, request.sampling.stop),
            tokens=len(ids),
            finish="stop" if ended or stopped else "length",
            logprobs=tuple(sequence.logprobs) if request.sampling.logprobs else None,
        )

    def _finished(self, sequence: Sequence, completion: Completion) -> None:
        request = sequence.request
        request.done[sequence.number] = completion
        if len(request.done) == request.n:
            request.resolve([request.done[number] for number in range(request.n)])


def _resolver(future: asyncio.Future[Any]) -> Callable[[Any], None]:
    """Hands a result, or an error, from the model's thread to the loop that waits for it."""
    loop = future.get_loop()

    def deliver(result: Any) -> None:
        if not future.done():
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def resolve(result: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(deliver, result)

    return resolve
