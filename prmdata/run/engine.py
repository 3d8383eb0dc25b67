"""Many items at once over one event loop, a bounded number in flight, none lost.

An item that fails becomes a record with its `error`; a sampler, a store or a target that fails
ends the run, which can be taken up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prmdata.errors import (
    BudgetReached,
    Interrupted,
    ItemError,
    PrmdataError,
    TooManyErrors,
    UsageError,
)
from prmdata.records import Trace
from prmdata.tasks import first

Item = TypeVar("Item")
Finished = TypeVar("Finished", contravariant=True)
DEBUG = "PRMDATA_DEBUG"
DRAIN_SECONDS = 10
"""How long what is in flight may take to finish once the run is interrupted."""


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """How many items may fail: a number, or a share (which a few early ones never exceed)."""

    count: int | None = None
    share: float = 0.01

    @classmethod
    def parse(cls, text: str) -> ErrorLimit:
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else None
            limit = cls(count=int(text)) if share is None else cls(share=share)
            if not (limit.count or 0) >= 0 or not 0 <= limit.share <= 1:
                raise ValueError
            return limit
        except ValueError:
            raise UsageError(f"--max-errors {text}: write a number, or a share like 1%") from None

    def exceeded(self, errors: int, seen: int, *, final: bool) -> bool:
        if self.count is not None:
            return errors > self.count
        return errors > self.share * seen and (final or errors > 10)


@dataclass(slots=True)
class Failures:
    """What went wrong so far."""

    limit: ErrorLimit
    count: int = 0
    seen: int = 0
    first: str | None = None

    def note(self, traces: Iterable[Trace], before: frozenset[str]) -> None:
        for trace in traces:
            self.seen += 1
            if trace.error is not None and trace.id not in before:
                self.count += 1
                self.first = self.first or trace.error

    def check(self, *, final: bool = False) -> None:
        if self.limit.exceeded(self.count, self.seen, final=final):
            raise TooManyErrors(
                f"{self.first}\n{self.count:,} of {self.seen:,} items failed; the first error is "
                "above. Fix the cause and run the same command again: finished items are kept. To "
                f"accept the failed ones as records with `error`, add --max-errors {self.count}"
            )


class Work(Protocol[Item]):
    """What the engine needs to know of a stage."""

    def items(self) -> Iterable[Item]:
        """What there is to do, in order."""
        ...

    async def work(self, item: Item) -> list[Trace]: ...

    def failed(self, item: Item, reason: str) -> list[Trace]:
        """The records of an item whose work failed as a whole."""
        ...

    def failed_before(self, item: Item) -> frozenset[str]:
        """Ids that failed in an earlier stage: they are passed on and not counted again."""
        ...


class Sink(Protocol[Finished]):
    """Where finished items go."""

    def known(self, index: int, item: Finished) -> bool:
        """Whether an earlier run has finished this item."""
        ...

    def accept(self, index: int, item: Finished, traces: list[Trace]) -> None: ...

    def announce(self, text: str) -> None:
        """Tell the person at the terminal, on a line that stays."""
        ...


class Engine(Generic[Item]):
    """Works on every item that is not known already, and hands its traces to the sink."""

    def __init__(
        self, stage: Work[Item], sink: Sink[Item], failures: Failures, concurrency: int
    ) -> None:
        self.stage, self.sink, self.failures = stage, sink, failures
        self.over_budget = 0
        """Items that were given up because the run's tokens are spent."""
        self._slots = asyncio.Semaphore(concurrency)
        self._stop = asyncio.Event()
        self._interrupted = False
        self._in_flight: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        with self._on_interrupt():
            try:
                async with asyncio.TaskGroup() as tasks:
                    async for index, item in _read_ahead(self.stage.items(), self._stop):
                        if self.sink.known(index, item):
                            continue
                        await self._slots.acquire()
                        if self._stop.is_set():
                            break
                        task = tasks.create_task(self._process(index, item))
                        self._in_flight.add(task)
                        task.add_done_callback(self._in_flight.discard)
            except BaseExceptionGroup as group:
                raise first(group) from None
        if self._interrupted:
            raise Interrupted("stopped; run the same command again to go on")
        if self.over_budget:
            raise BudgetReached("the token budget is spent")

    async def _process(self, index: int, item: Item) -> None:
        try:
            traces = await self.stage.work(item)
        except BudgetReached:  # others finish what the store or their last call gives them
            self.over_budget += 1
            self._stop.set()
            return
        except ItemError as error:
            traces = self.stage.failed(item, str(error))
        except PrmdataError:
            raise
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            reason = f"{type(error).__name__}: {error} ({DEBUG}=1 shows where)"
            traces = self.stage.failed(item, reason)
        finally:
            self._slots.release()
        self.sink.accept(index, item, traces)
        self.failures.note(traces, self.stage.failed_before(item))
        self.failures.check()

    @contextlib.contextmanager
    def _on_interrupt(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM let what is in flight finish for a while; a second one leaves."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, loop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _interrupt(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._interrupted:
            os._exit(130)
        self._interrupted = True
        self._stop.set()
        self.sink.announce(
            f"stopping: {len(self._in_flight):,} items in flight have {DRAIN_SECONDS} s to finish; "
            "Ctrl-C again leaves at once"
        )
        loop.call_later(DRAIN_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self.sink.announce(
            f"gave up {len(self._in_flight):,} items in flight; the store has their finished calls"
        )
        for task in self._in_flight:
            task.cancel()


async def _read_ahead(
    items: Iterable[Item], stop: asyncio.Event
) -> AsyncIterator[tuple[int, Item]]:
    """Items from a thread of their own, so that a slow pipe never holds up the loop."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[int, Item] | BaseException | None] = asyncio.Queue()
    room = threading.Semaphore(8)

    def put(entry: tuple[int, Item] | BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before the reader
            loop.call_soon_threadsafe(queue.put_nowait, entry)

    def read() -> None:
        try:
            for entry in enumerate(items):
                room.acquire()
                if stop.is_set():
                    return
                put(entry)
            put(None)
        except BaseException as error:  # noqa: BLE001  handed to the loop, which raises it
            put(error)

    threading.Thread(target=read, daemon=True, name="prmdata-reader").start()
    stopped = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            arriving = asyncio.create_task(queue.get())
            await asyncio.wait({arriving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not arriving.done():
                arriving.cancel()
                return
            entry = arriving.result()
            if entry is None:
                return
            if isinstance(entry, BaseException):
                raise entry
            room.release()
            yield entry
    finally:
        stopped.cancel()
        room.release()
