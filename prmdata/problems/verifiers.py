"""Tasks of a taskset of the package verifiers: `verifiers:TASKSET[?limit=N]`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

from prmdata.environments.adapters.verifiers import taskset
from prmdata.errors import PrmdataError, UsageError
from prmdata.records import Problem


def read(rest: str, rows: Callable[..., object]) -> Iterator[Problem]:
    del rows
    name, _, query = rest.partition("?")
    settings = dict(parse_qsl(query))
    limit = settings.pop("limit", None)
    if not name or settings or not (limit or "1").isdecimal():
        raise UsageError(
            f"source 'verifiers:{rest}': write verifiers:TASKSET, or TASKSET?limit=100"
        )
    try:
        tasks = taskset(name)
    except ImportError as error:
        raise PrmdataError(f"source 'verifiers:{rest}': {error}") from None
    if limit is None and not tasks.bounded:
        raise UsageError(f"source 'verifiers:{rest}' has no end: write verifiers:{name}?limit=100")
    stop = None if limit is None else int(limit)
    for number, task in enumerate(itertools.islice(tasks, stop)):
        yield Problem(
            id=f"{name}-{task.data.id or number}",
            question="\n\n".join(filter(None, (task.data.system_prompt, task.data.prompt_text))),
            kind="text",
            meta={"source": "verifiers", "taskset": name, "task": number},
        )
