"""What the engine is spared, and what one question at a time would cost: parts of `bench_engine`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from prmdata.labellers import method
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.label import Labelling, run_labelling

K = 16
"""Sequences that a loop over questions has in the engine, as the peers run."""
AT_MOST = 192
"""Traces for that loop: enough for the last ones, which run in an engine half empty, to weigh
little."""


def counted(*names: str) -> list[float]:
    """The engine's own counters, in this process."""
    from vllm.v1.metrics.reader import get_metrics_snapshot

    found = get_metrics_snapshot()
    return [sum(m.value for m in found if m.name == f"vllm:{name}") for name in names]


class Reuse:
    """Prompt tokens that a run asks for and those that are computed."""

    NAMES = ("prefix_cache_queries", "prefix_cache_hits")

    def __init__(self) -> None:
        self._before = counted(*self.NAMES)

    def told(self, calls: list[tuple[str, int, int, int, float]], lengths: list[int]) -> str:
        asked, kept = (b - a for a, b in zip(self._before, counted(*self.NAMES), strict=True))
        rollouts = sum(n for _, n, *_ in calls)
        whole = sum(n * size for (_, n, *_), size in zip(calls, lengths, strict=True))
        return (
            f"{(asked - kept) / rollouts:.1f} prompt tokens computed a rollout, "
            f"{whole / rollouts:.1f} without reuse"
        )


def alone(trace: Trace) -> Trace:
    """As if it were its problem's only one, so that it is no part of a group."""
    return replace(trace, problem=replace(trace.problem, id=trace.id), group=None)


async def one_by_one(
    open_recorder: Callable[[], object],
    handing_out: Callable[[object], object],
    raw: object,
    traces: list[Trace],
    reset: Callable[[], object],
) -> None:
    """`bisect` with k = 16: all traces together, and one question at a time."""
    wrong = [trace for trace in traces if trace.correct is False and len(trace.steps) > 2]
    chosen = [alone(trace) for trace in wrong[:AT_MOST]]
    speeds = {}
    for concurrency in (1, 256):
        await asyncio.to_thread(reset)
        recorder = open_recorder()
        output = ListOutput()
        asked = Labelling("label", "bisect", method("bisect", "label", {"rollouts_per_probe": K}))
        begun = time.perf_counter()
        with handing_out(recorder):  # type: ignore[attr-defined]
            options = RunOptions(concurrency=concurrency, store=None, quiet=True)
            await run_labelling(asked, output, options, chosen)
        seconds = time.perf_counter() - begun
        labelled = sum(
            rollouts is not None for t in output.traces for rollouts in t.evidence[-1].rollouts
        )
        speeds[concurrency] = labelled / seconds
        calls = recorder.calls  # type: ignore[attr-defined]
    alone_tokens = alone_seconds = 0.0
    for call in calls:
        tokens, took = await asyncio.to_thread(raw.run, [call])  # type: ignore[attr-defined]
        alone_tokens, alone_seconds = alone_tokens + tokens, alone_seconds + took
    tokens, took = await asyncio.to_thread(raw.run, calls)  # type: ignore[attr-defined]
    engine = (tokens / took) / (alone_tokens / alone_seconds)
    ours = speeds[256] / speeds[1]
    print(
        f"one by one bisect k={K}, {len(chosen)} traces: {speeds[1]:.1f} labelled prefixes/s one "
        f"question at a time, {speeds[256]:.1f}/s together: {ours:.2f} x; the engine itself is "
        f"{engine:.2f} x as fast with all sequences as with {K}: {ours / engine:.2f} of that",
        flush=True,
    )
