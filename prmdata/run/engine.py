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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from prmdata.errors import Interrupted, ItemError, PrmdataError, TooManyErrors, UsageError
from prmdata.records import Trace
from prmdata.tasks import first

Item = TypeVar("Item")
DEBUG = "PRMDATA_DEBUG"


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
                f"{self.first}\n{self.count:,} of {self.seen:,} items failed so (the first is "
                "shown). Mend the cause and run the same command again: what is done is kept. "
                f"To accept them as records with `error`: --max-errors {self.count}"
            )


@dataclass(frozen=True, slots=True)
class Job(Generic[Item]):
    """What to do: items, in order, and the work that turns one into traces."""

    items: Iterable[Item]
    work: Callable[[Item], Awaitable[list[Trace]]]
    failed: Callable[[Item, str], list[Trace]]
    """The records of an item whose work failed as a whole."""
    failed_before: Callable[[Item], frozenset[str]] = lambda item: frozenset()
    """Ids that had failed in an earlier stage: they are passed on and not counted again."""


async def run_items(
    job: Job[Item],
    accept: Callable[[int, Item, list[Trace]], None],
    known: Callable[[int, Item], bool],
    failures: Failures,
    *,
    concurrency: int,
) -> None:
    """Work on every item that is not `known` already and hand its traces to `accept`."""
    stop = asyncio.Event()
    slots = asyncio.Semaphore(concurrency)

    async def one(index: int, item: Item) -> None:
        try:
            traces = await _worked(job, item)
            accept(index, item, traces)
            failures.note(traces, job.failed_before(item))
            failures.check()
        finally:
            slots.release()

    with _on_interrupt(stop):
        try:
            async with asyncio.TaskGroup() as tasks:
                async for index, item in _read_ahead(job.items, stop):
                    if known(index, item):
                        continue
                    await slots.acquire()
                    if stop.is_set():
                        break
                    tasks.create_task(one(index, item))
        except BaseExceptionGroup as group:
            raise first(group) from None
    if stop.is_set():
        raise Interrupted("stopped; the same command goes on from here")


async def _worked(job: Job[Item], item: Item) -> list[Trace]:
    try:
        return await job.work(item)
    except ItemError as error:
        return job.failed(item, str(error))
    except PrmdataError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return job.failed(item, f"{type(error).__name__}: {error} ({DEBUG}=1 shows where)")


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


@contextlib.contextmanager
def _on_interrupt(stop: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C lets what is in flight finish, the second leaves at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        os.write(2, b"\nfinishing what is in flight; Ctrl-C again leaves at once\n")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
