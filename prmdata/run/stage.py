"""One stage of the pipe: a sampler, a grader, a store; items in, traces out, a summary."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prmdata.errors import BudgetReached, InputError, Interrupted
from prmdata.files import codec
from prmdata.grading import Grader
from prmdata.records import Trace
from prmdata.run.engine import Engine, ErrorLimit, Failures
from prmdata.run.manifest import STATE
from prmdata.run.output import Output
from prmdata.run.progress import Progress
from prmdata.run.summary import Summary
from prmdata.sampler import is_recorded, open_sampler
from prmdata.sampler.acting.opening import Environments, Surroundings
from prmdata.sampler.endpoint.patience import Patient, Waits
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import Spending, StoredSampler
from prmdata.terminal import say

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a stage runs; nothing in here changes what it finds."""

    concurrency: int = 256
    """Problems in flight."""
    max_errors: ErrorLimit = ErrorLimit()
    max_tokens_total: int | None = None
    store: str | None = f"{STATE}/store"
    """The folder of the rollout store; `None`: no store."""
    waits: Waits = Waits()
    """How long a lost server is waited for."""
    quiet: bool = False
    verbose: bool = False
    report: Callable[[Summary], None] = lambda summary: None
    """Given the counts at the end, however the run ends."""


@dataclass(slots=True)
class Resources:
    """What the work of a stage needs."""

    sampler: Sampler
    grader: Grader
    spending: Spending = field(default_factory=Spending)
    environments: Environments = field(default_factory=Environments)
    reference: Sampler | None = None
    """A second model, for methods that compare two."""


@contextlib.asynccontextmanager
async def open_resources(
    spec: str,
    engine: Mapping[str, str],
    grader: str,
    options: RunOptions,
    surroundings: Surroundings | None = None,
    reference: str | None = None,
) -> AsyncIterator[Resources]:
    """A sampler and environments behind the store, a second sampler where a method compares two,
    and a grader; all are closed at the end, whatever happens."""
    async with contextlib.AsyncExitStack() as closing:
        grades = Grader(grader)
        closing.push_async_callback(grades.close)
        sampler = await _opened(spec, engine, options)
        closing.push_async_callback(sampler.close)
        second: Sampler | None = None
        if reference is not None:
            second = await _opened(reference, engine, options)
            closing.push_async_callback(second.close)
        store: Store | None = None
        if options.store is not None and not is_recorded(spec):
            store = Store(options.store)
            closing.callback(store.close)
        spending = Spending(limit=options.max_tokens_total)
        kept = _replayed(spec, closing) if store is None else store
        environments = Environments(surroundings, kept)
        closing.push_async_callback(environments.close)
        yield Resources(
            StoredSampler(sampler, store, spending),
            grades,
            spending,
            environments,
            None if second is None else StoredSampler(second, store, spending),
        )


def _replayed(spec: str, closing: contextlib.AsyncExitStack) -> Store | None:
    """The store that a replay reads: what environments answered stands there too."""
    kind, _, rest = spec.partition(":")
    if kind != "replay":
        return None
    store = Store(rest.partition("#")[0])
    closing.callback(store.close)
    return store


async def _opened(spec: str, engine: Mapping[str, str], options: RunOptions) -> Sampler:
    sampler = await open_sampler(spec, engine)
    if isinstance(sampler, Patient):
        sampler.wait_as(options.waits, (lambda line: None) if options.quiet else say)
    return sampler


class Stage(ABC, Generic[Item]):
    """What a stage does with each of its items; `run_stage` does the rest."""

    name: str
    unit = "traces"
    """What progress counts."""
    spending: Spending
    warn: Callable[[str], None] = staticmethod(lambda text: None)
    """Tells somebody at once; `run_stage` sets it."""
    tell: Callable[[str], None] = staticmethod(lambda text: None)
    """The same, of what is no warning."""
    total: int | None = None
    """How many units there are, where that is known."""
    may_be_empty = False
    """A shard may have nothing to do."""

    @abstractmethod
    def items(self) -> Iterable[Item]: ...

    @abstractmethod
    async def work(self, item: Item) -> list[Trace]: ...

    @abstractmethod
    def failed(self, item: Item, reason: str) -> list[Trace]:
        """The records of an item whose work failed as a whole."""

    def failed_before(self, item: Item) -> frozenset[str]:
        """Ids that failed in an earlier stage: they are passed on and not counted again."""
        del item
        return frozenset()

    def key(self, item: Item) -> object:
        """What the item is recognised by when an unfinished run is resumed."""
        return item

    def size(self, item: Item) -> int:
        """How many units the item is."""
        del item
        return 1

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        """Count what only this stage counts."""

    def check(self, summary: Summary) -> None:
        """Raise where the output should not be finished; add to its warnings."""


class Recorder(Generic[Item]):
    """Takes finished items: writes, counts and shows them."""

    def __init__(self, stage: Stage[Item], output: Output, progress: Progress) -> None:
        self.stage, self.output, self.progress = stage, output, progress
        self.summary = Summary(stage.name)
        self._keys: dict[int, str] = {}
        """Of items at work."""

    def known(self, index: int, item: Item) -> bool:
        key = _digest(self.stage.key(item))
        traces = self.output.known(index, key)
        if traces is None:
            self._keys[index] = key
            return False
        self._count(traces)
        self.progress.add(self.stage.size(item), resumed=True)
        return True

    def accept(self, index: int, item: Item, traces: list[Trace]) -> None:
        self.output.accept(index, self._keys.pop(index), traces)
        self._count(traces)
        self.progress.add(self.stage.size(item))
        before = self.stage.failed_before(item)
        for trace in traces:
            if trace.error is not None and trace.id not in before:
                self.progress.failed(trace.id, trace.error)

    def announce(self, text: str) -> None:
        self.progress.announce(text)

    def _count(self, traces: list[Trace]) -> None:
        self.summary.add(traces)
        for trace in traces:
            self.stage.tally(trace, self.summary.special)


async def run_stage(stage: Stage[Item], output: Output, options: RunOptions) -> Summary:
    """Run the stage into the output; the summary of what was done and spent."""
    failures = Failures(options.max_errors)
    progress = Progress(
        stage.name,
        stage.spending,
        stage.total,
        stage.unit,
        show=not options.quiet,
        verbose=options.verbose,
    )
    recorder = Recorder(stage, output, progress)
    if not options.quiet:
        stage.tell = progress.announce
        stage.warn = lambda text: progress.announce(f"warning: {text}")
    summary = recorder.summary
    engine = Engine(stage, recorder, failures, options.concurrency)
    started = time.monotonic()
    try:
        with progress:
            async with _ticking(progress):
                await engine.run()
            failures.check(final=True)
            if progress.done == 0 and not stage.may_be_empty:
                raise InputError("the input is empty; there is nothing to do")
            stage.check(summary)
            _close(summary, stage, progress, failures, started)
            summary.ending = "complete"
            output.finish(summary.as_dict())
    except BudgetReached:
        summary.ending, summary.over_budget = "over budget", engine.over_budget
        _close(summary, stage, progress, failures, started)
        raise BudgetReached(_out_of_tokens(summary, options, output)) from None
    except Interrupted:
        summary.ending = "interrupted"
        raise
    except BaseException:  # a target that cannot be finished, too
        summary.ending = "failed"
        raise
    finally:
        if summary.ending != "complete":
            _close(summary, stage, progress, failures, started)
        options.report(summary)
    return summary


def _close(
    summary: Summary, stage: Stage[Item], progress: Progress, failures: Failures, started: float
) -> None:
    """Put what others have counted into the summary."""
    summary.seconds = round(time.monotonic() - started, 3)
    summary.resumed, summary.failed = progress.resumed, failures.count
    summary.left = None if stage.total is None else max(stage.total - progress.done, 0)
    summary.add_spending(stage.spending)


def _out_of_tokens(summary: Summary, options: RunOptions, output: Output) -> str:
    left = "" if summary.left is None else f", {summary.left:,} left to do"
    again = "run the same command again"
    kept = "finished problems are kept" if output.resumes else "finished calls are in the store"
    how = (
        f"{again}: {kept}, and the budget counts each run by itself"
        if output.resumes or options.store is not None
        else "give a larger --max-tokens-total: nothing of this run was kept"
    )
    return (
        f"the budget of {options.max_tokens_total:,} tokens is spent ({summary.tokens_spent:,} "
        f"generated): {summary.traces:,} traces done{left}. To go on, {how}"
    )


@contextlib.asynccontextmanager
async def _ticking(progress: Progress) -> AsyncIterator[None]:
    """Progress is shown from the first second, also while nothing finishes."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(progress.pause)
            progress.refresh()

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()


def _digest(key: object) -> str:
    return hashlib.blake2b(codec.encode(key), digest_size=16).hexdigest()
