"""All at once, or the first failure: and whoever works with it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from prmdata.errors import ItemError, SamplerError
from prmdata.grading import Grader
from prmdata.labellers import LABELLERS, method
from prmdata.records import Trace
from prmdata.run.stage import Resources, RunOptions
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages import fit
from prmdata.tasks import together
from tests.labellers.running import problems
from tests.policy import Policy


async def later(value: int) -> int:
    await asyncio.sleep(0.001 * (3 - value))
    return value


async def fails(error: Exception) -> int:
    await asyncio.sleep(0)
    raise error


async def forever() -> int:
    await asyncio.Event().wait()
    return 0


def left() -> int:
    """Tasks beside the one that asks."""
    return len(asyncio.all_tasks()) - 1


def test_results_come_in_the_order_of_the_work() -> None:
    async def work() -> list[int]:
        return await together(*map(later, range(4)))

    assert asyncio.run(work()) == [0, 1, 2, 3]


def test_the_first_failure_is_raised_itself_and_ends_the_others() -> None:
    cause = ValueError("why")
    error = ItemError("too long")
    error.__cause__ = cause

    async def work() -> None:
        with pytest.raises(ItemError) as raised:
            await together(forever(), together(forever(), fails(error)), forever())
        assert raised.value is error
        assert raised.value.__cause__ is cause
        assert left() == 0

    asyncio.run(work())


def test_whoever_gives_up_ends_all() -> None:
    async def work() -> int:
        task = asyncio.create_task(together(forever(), together(forever())))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return left()

    assert asyncio.run(work()) == 0


class Failing(Policy):
    """One call fails at once; all others take a moment."""

    def __init__(self, error: Exception, which: int) -> None:
        super().__init__({0: 60})
        self.error, self.left = error, which

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        await self._moment()
        return await super().complete(prefix, n, sampling, seed)

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        await self._moment()
        return await super().score(prefix, text, top)

    async def _moment(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error
        await asyncio.sleep(0.05)


def left_by(work: Callable[[Policy], Awaitable[object]], error: Exception, which: int) -> int:
    """What is still under way when the work has ended, because of the error or in spite of it."""

    async def run() -> int:
        try:
            await work(Failing(error, which))
        except SamplerError as raised:
            assert str(error) in str(raised)  # noqa: PT017  an item's own need not come this far
        return left()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "alone"), [(SamplerError("gone"), False), (ItemError("x"), True)]
)
@pytest.mark.parametrize(
    "name",
    [
        n
        for n, kind in LABELLERS.items()
        if "sampler" in kind.needs and "reference" not in kind.needs
    ],
)
def test_methods_leave_nothing_behind(
    name: str, error: Exception, alone: bool, traces: list[Trace]
) -> None:
    settings = {"posterior": {"rollouts_per_round": 16, "siblings": False}}.get(name, {})
    how = method(name, LABELLERS[name].verb, settings)
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 3]
    group = wrong[:1] if alone else next(g for g in problems(wrong) if len(g) > 1)
    for which in (1, 2, 3):

        async def work(policy: Policy) -> object:
            return await how.apply(group, Rollouts(policy, Grader(), RolloutSettings()))

        assert left_by(work, error, which) == 0


@pytest.mark.parametrize("error", [SamplerError("gone"), ItemError("too long")])
def test_a_fit_leaves_nothing_behind(error: Exception, traces: list[Trace]) -> None:
    async def work(policy: Policy) -> object:
        stand, asked = Resources(policy, Grader()), fit.Fitting("")
        return await fit._each(
            problems(traces)[:8], RunOptions(), lambda group: fit._seen(group, asked, stand)
        )

    assert left_by(work, error, 3) == 0
