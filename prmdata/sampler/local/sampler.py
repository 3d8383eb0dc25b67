"""The sampler over a model on torch, which runs in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.local.scoring import Places, Text
from prmdata.sampler.local.sequences import Request
from prmdata.sampler.local.tokenizer import TextTokenizer
from prmdata.sampler.models.boundary import Span
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import (
    NO_PREFIX,
    Completion,
    Sampling,
    Scored,
    too_long,
    too_long_to_score,
)


class Runner(Protocol):
    """Requests in, tokens out, on the thread that calls it."""

    waiting: deque[Request]
    texts: deque[Text]
    """To score."""

    @property
    def context(self) -> int: ...

    @property
    def busy(self) -> bool: ...

    def admit(self) -> None:
        """Begin what there is room for."""
        ...

    def step(self) -> None:
        """One token for what runs."""
        ...

    def cancel(self, request: Request) -> None: ...

    def score(self) -> None:
        """Score what waits, or a part of it."""
        ...


class LocalSampler:
    def __init__(
        self,
        runner: Runner,
        tokenizer: TextTokenizer,
        template: ChatTemplate,
        *,
        spec: str,
        fingerprint: str,
    ) -> None:
        self.spec, self.template, self.fingerprint = spec, template, fingerprint
        self.context = runner.context
        self._words, self._runner = tokenizer, runner
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiters: dict[asyncio.Future[object], Callable[[object], None]] = {}
        self._stopped: str | None = None
        self._thread = threading.Thread(target=self._work, name="prmdata-model", daemon=True)
        self._thread.start()

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        ids = self._words.encode(prefix)
        room = min(sampling.max_tokens, self.context - len(ids))
        if room <= 0 or not ids:
            raise ItemError(too_long(len(ids), self.context))
        if n < 1:
            return []
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        request = Request(ids, n, sampling, seed, room, _resolver(done))
        try:
            return list(await self._answer(done, lambda: self._runner.waiting.append(request)))
        except asyncio.CancelledError:
            self._inbox.put(lambda: self._runner.cancel(request))
            raise

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        span = self._words.span(prefix, text)
        if len(span.ids) > self.context:
            raise ItemError(too_long_to_score(len(span.ids), self.context))
        if span.first == 0:
            raise ItemError(NO_PREFIX)
        if not span.starts:
            return Scored((), (), len(span.ids))
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        asked = Text(span.ids, span.first, top, _resolver(done))
        try:
            places = await self._answer(done, lambda: self._runner.texts.append(asked))
        except asyncio.CancelledError:
            asked.cancelled = True
            raise
        return self._scored(span, places)

    def _scored(self, span: Span, places: Places) -> Scored:
        words = self._words
        return Scored(
            tuple(places.logprobs),
            span.starts,
            len(span.ids),
            span.straddles,
            tuple(tuple((words.token(i), p) for i, p in place) for place in places.top),
            tuple(places.entropies),
            tuple(places.certainties),
        )

    async def close(self) -> None:
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _answer(self, done: asyncio.Future[object], task: Callable[[], None]) -> Any:
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
            while self._take(wait=not self._runner.busy):
                self._runner.score()
                self._runner.admit()
                self._runner.step()
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


def _resolver(future: asyncio.Future[object]) -> Callable[[object], None]:
    """Hands a result, or an error, from the model's thread to the loop that waits for it."""
    loop = future.get_loop()

    def deliver(result: object) -> None:
        if not future.done():
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def resolve(result: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(deliver, result)

    return resolve
