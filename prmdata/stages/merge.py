"""`merge`: shards → one file, sorted by problem, so that a problem's traces stand together."""

from __future__ import annotations

import itertools
import re
from typing import Any

from prmdata.errors import InputError
from prmdata.files import codec, read_traces, readable
from prmdata.run.output import Output


def run_merge(sources: list[str], output: Output) -> dict[str, Any]:
    """A trace that stands in several sources is kept once; two under one id are refused."""
    groups: dict[str, dict[str, bytes]] = {}
    for trace in readable(itertools.chain.from_iterable(map(read_traces, sources))):
        line = codec.encode(trace)
        known = groups.setdefault(trace.problem.id, {}).setdefault(trace.id, line)
        if known != line:
            raise InputError(
                f"trace {trace.id} stands in two of the inputs with different content; give the "
                "runs different --seed, or leave one out"
            )
    if not groups:
        raise InputError("the inputs are empty")
    for index, problem in enumerate(sorted(groups)):
        lines = [groups[problem][name] for name in sorted(groups[problem], key=_natural)]
        traces = [codec.decode_trace(line, problem) for line in lines]
        output.accept(index, f"{index:032x}", traces)
    summary = {
        "stage": "merge",
        "problems": len(groups),
        "traces": sum(len(group) for group in groups.values()),
    }
    output.finish(summary)
    return summary


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `2` before `10`."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
