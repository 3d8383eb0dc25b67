"""A stage over groups: a problem's traces together, or a line that could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

from prmdata.files import Unreadable
from prmdata.problems import shard_of
from prmdata.records import Problem, Trace
from prmdata.run.engine import Job
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.sampler.storage.stored import Spending

Group = list[Trace] | Unreadable
Item = TypeVar("Item", bound=Problem | Group)


async def run_groups(
    stage: str,
    groups: Iterable[Group],
    work: Callable[[list[Trace]], Awaitable[list[Trace]]],
    output: Output,
    options: RunOptions,
    *,
    spending: Spending | None = None,
    total: int | None = None,
    tally: Callable[[Trace, Counter[str]], None] = lambda trace, counts: None,
) -> dict[str, Any]:
    """Work on what could be read; the rest goes by as failed records."""

    async def one(group: Group) -> list[Trace]:
        return [group.as_trace()] if isinstance(group, Unreadable) else await work(group)

    return await run_stage(
        stage,
        Job(groups, one, failed, failed_before),
        lambda group: group,
        output,
        options,
        spending=spending,
        total=total,
        size=lambda group: 1 if isinstance(group, Unreadable) else len(group),
        tally=tally,
    )


def failed(group: Group, reason: str) -> list[Trace]:
    if isinstance(group, Unreadable):
        return [group.as_trace()]
    return [trace.failed(trace.error or reason) for trace in group]


def failed_before(group: Group) -> frozenset[str]:
    if isinstance(group, Unreadable):
        return frozenset()
    return frozenset(trace.id for trace in group if trace.error is not None)


def of_shard(items: Iterable[Item], index: int, count: int) -> Iterator[Item]:
    """Problems, or their groups, that fall to one shard of several."""
    return (item for item in items if shard_of(_name(item), count) == index)


def _name(item: Problem | Group) -> str:
    if isinstance(item, Unreadable):
        return item.where
    return item.id if isinstance(item, Problem) else item[0].problem.id
