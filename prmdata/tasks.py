"""Work at once: all of it, or the first failure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


async def together(*work: Coroutine[object, object, T]) -> list[T]:
    """The results, in order. The first failure is raised itself, once the others have ended too."""
    try:
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(one) for one in work]
    except BaseExceptionGroup as group:
        failed = first(group)
    else:
        return [task.result() for task in started]
    raise failed


def first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
