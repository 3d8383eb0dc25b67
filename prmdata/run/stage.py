"""One stage of the pipe: a sampler, a grader, a store; items in, traces out, a summary."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prmdata.errors import InputError
from prmdata.files import codec
from prmdata.grading import Grader
from prmdata.records import Trace
from prmdata.run.engine import ErrorLimit, Failures, Job, run_items
from prmdata.run.manifest import STATE
from prmdata.run.output import Output
from prmdata.run.progress import Progress, say
from prmdata.sampler import open_sampler
from prmdata.sampler.endpoint.patience import Patient, Waits
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import Spending, StoredSampler

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


@dataclass(slots=True)
class Resources:
    """What the work of a stage stands on."""

    sampler: Sampler
    grader: Grader
    spending: Spending = field(default_factory=Spending)


@contextlib.asynccontextmanager
async def open_resources(
    spec: str, engine: Mapping[str, str], grader: str, options: RunOptions
) -> AsyncIterator[Resources]:
    """A sampler behind the store, and a grader; all are put away at the end, whatever happens."""
    async with contextlib.AsyncExitStack() as closing:
        grades = Grader(grader)
        closing.push_async_callback(grades.close)
        sampler = await open_sampler(spec, engine)
        closing.push_async_callback(sampler.close)
        if isinstance(sampler, Patient):
            sampler.wait_as(options.waits, (lambda line: None) if options.quiet else say)
        store: Store | None = None
        if options.store is not None and not spec.startswith(("replay:", "bank:")):
            store = Store(options.store)
            closing.callback(store.close)
        spending = Spending(limit=options.max_tokens_total)
        yield Resources(StoredSampler(sampler, store, spending), grades, spending)


@dataclass(slots=True)
class Counts:
    """What came out, for the summary."""

    problems: int = 0
    outside: int = 0
    """Problems of which no trace was kept."""
    traces: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    """Neither: no gold answer is known, or the trace was cut, or its grading given up."""
    unparsed: int = 0
    """No answer could be read."""
    without_answer: int = 0
    """Of the unparsed, those in which none was found."""
    cut: int = 0
    labelled: int = 0
    unexamined: int = 0
    undecided: int = 0
    """Labels that say nothing of any step."""
    first_errors: int = 0

    def add(self, traces: list[Trace]) -> None:
        self.problems += 1
        self.outside += not traces
        self.traces += len(traces)
        for trace in traces:
            self.right += trace.correct is True
            self.wrong += trace.correct is False
            unparsed = trace.correct is None and trace.grade == "unparsed"
            self.unparsed += unparsed
            self.without_answer += unparsed and trace.answer is None
            self.unknown += trace.correct is None and trace.error is None and not unparsed
            self.cut += trace.finish == "length"
            if trace.labels is not None:
                self.labelled += 1
                self.undecided += trace.labels.undecided
                self.unexamined += not (trace.labels.examined or trace.labels.undecided)
                self.first_errors += trace.labels.first_error is not None


async def run_stage(
    stage: str,
    job: Job[Item],
    key: Callable[[Item], object],
    output: Output,
    options: RunOptions,
    *,
    spending: Spending | None = None,
    total: int | None = None,
    unit: str = "traces",
    size: Callable[[Item], int] = lambda item: 1,
    tally: Callable[[Trace, Counter[str]], None] = lambda trace, counts: None,
    check: Callable[[Mapping[str, Any]], None] = lambda summary: None,
) -> dict[str, Any]:
    """Run the job into the output; the summary of what was done and spent.

    `tally` counts what is special to this stage; its names stand before the usual ones. What
    `check` raises of the summary leaves the output unfinished.
    """
    spending = spending or Spending()
    special: Counter[str] = Counter()
    failures = Failures(options.max_errors)
    counts = Counts()

    def counted(traces: list[Trace]) -> None:
        counts.add(traces)
        for trace in traces:
            tally(trace, special)

    with Progress(stage, spending, total, unit, show=not options.quiet) as progress:

        def known(index: int, item: Item) -> bool:
            traces = output.known(index, _digest(key(item)))
            if traces is None:
                return False
            counted(traces)
            progress.kept += size(item)
            progress.step(size(item), failures.count)
            return True

        def accept(index: int, item: Item, traces: list[Trace]) -> None:
            output.accept(index, _digest(key(item)), traces)
            counted(traces)
            progress.step(size(item), failures.count)

        await run_items(job, accept, known, failures, concurrency=options.concurrency)
        failures.check(final=True)
        if progress.done == 0:
            raise InputError("the input is empty; there is nothing to do")
        summary = {
            "stage": stage,
            "seconds": round(progress.seconds, 3),
            "kept": progress.kept,
            "failed": failures.count,
            **{name: getattr(counts, name) for name in _SUMMED},
            **special,
            "tokens_spent": spending.tokens,
            "sampler_calls": spending.calls,
            "completions_sampled": spending.sampled,
            "completions_from_store": spending.served,
        }
        check(summary)
        output.finish(summary)
    return summary


_SUMMED = (
    "problems",
    "outside",
    "traces",
    "right",
    "wrong",
    "unknown",
    "unparsed",
    "without_answer",
    "cut",
    "labelled",
    "unexamined",
    "undecided",
    "first_errors",
)


def _digest(key: object) -> str:
    return hashlib.blake2b(codec.encode(key), digest_size=16).hexdigest()
