from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

import pytest

from prmdata.errors import (
    BudgetReached,
    InputError,
    Interrupted,
    ItemError,
    SamplerError,
    TooManyErrors,
    UsageError,
)
from prmdata.records import Problem, Trace
from prmdata.run.engine import Engine, ErrorLimit, Failures


def trace(number: int, error: str | None = None) -> Trace:
    return Trace(id=str(number), problem=Problem(str(number), "?"), error=error)


Work = Callable[[int], Awaitable[list[Trace]]]


class Numbers:
    """A stage whose items are numbers."""

    def __init__(self, numbers: Iterable[int], work: Work) -> None:
        self.numbers, self.work = numbers, work

    def items(self) -> Iterable[int]:
        return self.numbers

    def failed(self, item: int, reason: str) -> list[Trace]:
        return [trace(item, reason)]

    def failed_before(self, item: int) -> frozenset[str]:
        return frozenset()


class Run:
    """One run over numbers; keeps what came out and how many were at work at once."""

    def __init__(self, limit: str = "0", concurrency: int = 8) -> None:
        self.failures = Failures(ErrorLimit.parse(limit))
        self.concurrency = concurrency
        self.out: dict[int, list[Trace]] = {}
        self.announced: list[str] = []
        self.at_work = self.most = 0

    async def work(self, item: int) -> list[Trace]:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        await asyncio.sleep(0.001 * (item % 3))
        self.at_work -= 1
        return [trace(item)]

    def known(self, index: int, item: int) -> bool:
        return False

    def accept(self, index: int, item: int, traces: list[Trace]) -> None:
        self.out[index] = traces

    def announce(self, text: str) -> None:
        self.announced.append(text)

    def go(self, items: Iterable[int], work: Work | None = None) -> None:
        stage = Numbers(items, work or self.work)
        asyncio.run(Engine(stage, self, self.failures, self.concurrency).run())


def test_all_items_come_out_once_with_a_bounded_number_at_work() -> None:
    run = Run()
    run.go(range(200))
    assert {i: t[0].id for i, t in run.out.items()} == {i: str(i) for i in range(200)}
    assert run.most == 8


def test_reading_is_lazy_so_memory_is_bounded() -> None:
    ahead = 0
    run = Run()

    def items() -> Iterator[int]:
        nonlocal ahead
        for i in range(2000):
            ahead = max(ahead, i - len(run.out))
            yield i

    run.go(items())
    assert len(run.out) == 2000
    assert ahead < 64


def test_a_failed_item_becomes_a_record_and_the_others_go_on() -> None:
    run = Run("2")

    async def work(item: int) -> list[Trace]:
        if item == 3:
            raise ItemError("too long")
        if item == 5:
            raise ZeroDivisionError("oops")
        return [trace(item)]

    run.go(range(10), work)
    assert len(run.out) == 10
    assert run.out[3][0].error == "too long"
    assert (run.out[5][0].error or "").startswith("ZeroDivisionError: oops")
    assert run.failures.count == 2


def test_beyond_the_limit_the_run_ends_and_shows_the_first() -> None:
    run = Run("2")

    async def work(item: int) -> list[Trace]:
        raise ItemError(f"item {item} is too long")

    with pytest.raises(TooManyErrors, match=r"item 0 is too long\n3 of 3 items failed"):
        run.go(range(1000), work)


def test_a_lost_sampler_ends_the_run_as_itself() -> None:
    async def work(item: int) -> list[Trace]:
        if item == 4:
            raise SamplerError("gone")
        return [trace(item)]

    with pytest.raises(SamplerError, match="gone"):
        Run().go(range(100), work)


def test_an_error_in_the_input_comes_after_what_was_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        raise InputError("line 21")

    run = Run()
    with pytest.raises(InputError, match="line 21"):
        run.go(items())


@pytest.mark.parametrize(
    ("limit", "errors", "seen", "now", "at_the_end"),
    [
        ("0", 1, 10, True, True),
        ("3", 3, 3, False, False),
        ("3", 4, 9, True, True),
        ("1%", 1, 20, False, True),
        ("1%", 10, 10, False, True),
        ("1%", 11, 11, True, True),
        ("1%", 10, 1000, False, False),
        ("1%", 11, 1000, True, True),
        ("50%", 40, 100, False, False),
    ],
)
def test_how_many_may_fail(limit: str, errors: int, seen: int, now: bool, at_the_end: bool) -> None:
    parsed = ErrorLimit.parse(limit)
    assert parsed.exceeded(errors, seen, final=False) == now
    assert parsed.exceeded(errors, seen, final=True) == at_the_end


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="--max-errors few"):
        ErrorLimit.parse("few")


def test_ctrl_c_finishes_what_is_in_flight() -> None:
    run = Run(concurrency=4)
    begun: list[int] = []

    async def work(item: int) -> list[Trace]:
        begun.append(item)
        if item == 10:
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        return [trace(item)]

    with pytest.raises(Interrupted):
        run.go(range(1000), work)
    assert sorted(run.out) == sorted(begun)
    assert len(begun) < 30
    assert len(run.announced) == 1
    assert "items in flight have 10 s to finish" in run.announced[0]


def test_what_does_not_finish_after_an_interrupt_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten seconds are long for a test."""
    monkeypatch.setattr("prmdata.run.engine.DRAIN_SECONDS", 0.2)
    run = Run(concurrency=4)

    async def work(item: int) -> list[Trace]:
        if item == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0 if item == 0 else 600)
        return [trace(item)]

    started = time.monotonic()
    with pytest.raises(Interrupted):
        run.go(range(1000), work)
    assert time.monotonic() - started < 5
    assert list(run.out) == [0]
    assert "gave up" in run.announced[1]


def test_a_spent_budget_ends_the_run_once_the_others_are_done() -> None:
    run = Run(concurrency=4)

    async def work(item: int) -> list[Trace]:
        if item == 2:
            raise BudgetReached("spent")
        await asyncio.sleep(0.05)
        return [trace(item)]

    with pytest.raises(BudgetReached):
        run.go(range(1000), work)
    assert 1 <= len(run.out) < 8
    assert 2 not in run.out


def test_a_slow_source_holds_nothing_up() -> None:
    gate = threading.Event()
    run = Run()

    def items() -> Iterator[int]:
        yield 1
        gate.wait(10)
        yield 2

    async def work(item: int) -> list[Trace]:
        gate.set()  # only reached if item 1 is worked on while the source waits
        return [trace(item)]

    started = time.monotonic()
    run.go(items(), work)
    assert len(run.out) == 2
    assert time.monotonic() - started < 9
