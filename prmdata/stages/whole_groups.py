"""Traces in any order → the whole groups of their problems, with ids.

Traces with the same question and gold answer belong to one problem. What has been read waits in a
spool, so that the rows of a problem may stand anywhere; the first group comes out when the last
row has been read.

Ids are the source's own where it has them. An id that all traces of a problem share names the
problem, and its traces are numbered; ids that differ name the traces, and the problem's is made
from its text. An id that stands for several problems gets a hash of their texts.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from prmdata.files import Unreadable
from prmdata.files.spool import Spool
from prmdata.problems.contract import stable_id
from prmdata.records import Trace


def whole_groups(traces: Iterable[Trace | Unreadable]) -> Iterator[list[Trace] | Unreadable]:
    """What could not be read comes first."""
    owners: dict[str, str] = {}
    shared: set[str] = set()
    with contextlib.closing(Spool()) as spool:
        for trace in traces:
            if isinstance(trace, Unreadable):
                yield trace
                continue
            key = stable_id(trace.problem.question.strip(), trace.problem.answer)
            spool.add(key, trace)
            if trace.id and owners.setdefault(trace.id, key) != key:
                shared.add(trace.id)
        del owners
        for key, group in spool.groups():
            yield named(group, key, shared)


def named(group: Sequence[Trace], key: str, shared: set[str]) -> list[Trace]:
    """`shared`: the ids that stand for several problems."""
    ids = [f"{trace.id}-{key[:8]}" if trace.id in shared else trace.id for trace in group]
    counts = Counter(ids)
    problem_id = ids[0] if len(counts) == 1 and ids[0] else key
    numbered = len(counts) == 1 and (len(ids) > 1 or not ids[0])
    made = []
    for number, (trace, own) in enumerate(zip(group, ids, strict=True)):
        name = own or problem_id
        alone = own and counts[own] == 1 and not numbered
        problem = replace(trace.problem, id=problem_id, question=group[0].problem.question)
        made.append(replace(trace, id=name if alone else f"{name}/{number}", problem=problem))
    return made
