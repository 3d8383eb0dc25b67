"""Which traces to look at."""

from __future__ import annotations

import itertools
import random as chance
from collections.abc import Iterator

from prmdata.errors import InputError
from prmdata.files import read_traces, readable
from prmdata.records import Trace


def choose(source: str, *, id: str | None, wrong: bool, random: bool, count: int) -> list[Trace]:
    found = (trace for trace in readable(read_traces(source)) if _fits(trace, id, wrong))
    chosen = _reservoir(found, count) if random else list(itertools.islice(found, count))
    if not chosen:
        wanted = f"trace or problem {id}" if id else "wrong trace" if wrong else "trace"
        raise InputError(f"{source} holds no {wanted}")
    return chosen


def _fits(trace: Trace, id: str | None, wrong: bool) -> bool:
    if id is not None and id not in (trace.id, trace.problem.id):
        return False
    return not wrong or _is_wrong(trace)


def _is_wrong(trace: Trace) -> bool:
    """Whether a step of it is labelled wrong; without labels, whether its answer is."""
    if trace.labels is None:
        return trace.correct is False
    return trace.labels.first_error is not None


def _reservoir(traces: Iterator[Trace], count: int) -> list[Trace]:
    """`count` traces, each as likely as any other, in one pass."""
    chosen: list[Trace] = []
    for seen, trace in enumerate(traces):
        if seen < count:
            chosen.append(trace)
        elif (place := chance.randrange(seen + 1)) < count:
            chosen[place] = trace
    return chosen
