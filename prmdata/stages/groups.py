"""A stage over groups: a problem's traces together, or a line that could not be read."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TypeVar

from prmdata.errors import UsageError
from prmdata.files import Unreadable, read_groups
from prmdata.problems import shard_of
from prmdata.records import Problem, Trace
from prmdata.run.stage import Stage

Group = list[Trace] | Unreadable
Item = TypeVar("Item", bound=Problem | Group)


class GroupStage(Stage[Group]):
    """Works on what could be read; the rest passes by as failed records."""

    @abstractmethod
    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        """What becomes of the traces of one problem."""

    async def work(self, item: Group) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        return await self.work_on(item)

    def failed(self, item: Group, reason: str) -> list[Trace]:
        if isinstance(item, Unreadable):
            return [item.as_trace()]
        return [trace.failed(trace.error or reason) for trace in item]

    def failed_before(self, item: Group) -> frozenset[str]:
        if isinstance(item, Unreadable):
            return frozenset()
        return frozenset(trace.id for trace in item if trace.error is not None)

    def size(self, item: Group) -> int:
        return 1 if isinstance(item, Unreadable) else len(item)


def groups_of(
    traces: Iterable[Trace | Unreadable],
    shard: tuple[int, int] | None,
    limit: int | None = None,
) -> Iterator[Group]:
    """Traces by problem: the first `limit` problems, and of these those of the shard."""
    groups: Iterator[Group] = itertools.islice(read_groups(traces), limit)
    return groups if shard is None else of_shard(groups, *shard)


def of_shard(items: Iterable[Item], index: int, count: int) -> Iterator[Item]:
    """Problems, or their groups, that fall to one shard of several."""
    return (item for item in items if shard_of(_name(item), count) == index)


def _name(item: Problem | Group) -> str:
    if isinstance(item, Unreadable):
        return item.where
    return item.id if isinstance(item, Problem) else item[0].problem.id


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`2/8`: the second of eight."""
    if text is None:
        return None
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shard {text}: write it as I/N, with I from 1 to N")
    return int(index), int(count)
