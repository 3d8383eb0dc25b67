"""`merge`: shards → one file, sorted by problem, so that a problem's traces stand together."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from prmdata.errors import InputError
from prmdata.files import codec, read_traces, readable
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions
from prmdata.run.summary import Summary


@dataclass(frozen=True, slots=True)
class Merging:
    sources: tuple[str, ...]

    def settings(self) -> dict[str, object]:
        return {}

    def inputs(self) -> dict[str, str]:
        return states_of(*self.sources)


async def run_merge(request: Merging, output: Output, options: RunOptions) -> Summary:
    """A trace that is in several sources is kept once; two under one id are refused."""
    summary = Summary("merge", "complete")
    groups: dict[str, dict[str, bytes]] = {}
    for trace in readable(itertools.chain.from_iterable(map(read_traces, request.sources))):
        line = codec.encode(trace)
        known = groups.setdefault(trace.problem.id, {}).setdefault(trace.id, line)
        if known != line:
            raise InputError(
                f"trace {trace.id} is in two of the inputs with different content; give the "
                "runs different --seed, or leave one out"
            )
    if not groups:
        raise InputError("the inputs are empty")
    for index, problem in enumerate(sorted(groups)):
        lines = [groups[problem][name] for name in sorted(groups[problem], key=_natural)]
        traces = [codec.decode_trace(line, problem) for line in lines]
        output.accept(index, f"{index:032x}", traces)
        summary.add(traces)
    output.finish(summary.as_dict())
    options.report(summary)
    return summary


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `2` before `10`."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
