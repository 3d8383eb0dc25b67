"""Export: traces a second on one core, and a million of them as far as `datasets`.

python -m tests.bench export credit million
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from prmdata import export
from prmdata.files import read_traces, write_traces
from prmdata.grading import Grader
from prmdata.problems import abacus
from prmdata.records import Cost, Evidence, Labels, Step, Trace
from prmdata.sampler import ABACUS_MODEL
from prmdata.traces.generate import Generation, generate
from tests.policy import Policy

FROZEN = sorted(
    (Path(__file__).parents[2] / "recipes/compare_methods/data").glob("*traces.parquet")
)

MEASURED = """
import os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(status != 0)
"""
LOAD = """
import sys, datasets
rows = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2], split="train")
ids = rows.unique("trace_id")
assert len(rows) == len(ids) == int(sys.argv[3]), len(rows)
"""


def samples() -> list[Trace]:
    """Four hundred traces of the weightless policy, labelled as a search labels them."""

    async def sampled() -> list[Trace]:
        policy, grader = Policy({0: 50}), Grader()
        found: list[Trace] = []
        for problem in abacus.read("50", lambda rows: rows):
            found += await generate(problem, policy, grader, Generation(samples=8))
        await grader.close()
        return found

    return [labelled(trace) for trace in asyncio.run(sampled())]


def labelled(trace: Trace) -> Trace:
    steps, cost = len(trace.steps), Cost(120, 4, 4)
    first = None if trace.correct else min(1, steps - 1)
    counts = (*(None,) * (steps - 1), 1)
    searched = Evidence("posterior", "rollouts", hits=counts, rollouts=counts, cost=cost)
    values = tuple(0.9 if first is None or n < first else 0.1 for n in range(steps))
    labels = Labels("posterior", first, values, 0.93, not trace.correct, {"sure_at": 0.9}, cost)
    return replace(trace, labels=labels, evidence=(searched,))


def many(count: int) -> Iterator[Trace]:
    """Traces of as many problems as eight a problem make, no two with the same text."""
    some = samples()
    for number in range(count):
        trace, copy = some[number % len(some)], number // len(some)
        asked = f"{trace.problem.question} ({copy})"
        problem = replace(trace.problem, id=f"{trace.problem.id}-{copy}", question=asked)
        steps = tuple(Step(f"({number}) {step.text}", step.kind) for step in trace.steps)
        yield replace(trace, id=f"{trace.id}-{copy}", problem=problem, steps=steps)


def measured(words: list[str], core: bool = True) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of work, and megabytes at most, of a command on one core."""
    pin = (
        ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        if core and sys.platform == "linux"
        else []
    )
    line = [sys.executable, "-S", "-c", MEASURED, *pin, sys.executable, *words]
    wall, work, peak = subprocess.run(
        line, capture_output=True, text=True, check=True
    ).stdout.split()
    return float(wall), float(work), float(peak)


def speed(count: int = 100_000) -> None:
    """Marginal traces a second: the time over `count` traces less that over a tenth of them."""
    with tempfile.TemporaryDirectory() as place:
        found = {}
        for size in (count // 10, count):
            source = str(Path(place, f"{size}.parquet"))
            write_traces(source, many(size))
            words = ["-m", "prmdata", "export", source, "-o", str(Path(place, f"ds{size}")), "-q"]
            found[size] = measured(words)
        work = found[count][1] - found[count // 10][1]
        ratio = found[count][2] / found[count // 10][2]
        print(
            f"export    {0.9 * count / work:,.0f} traces a second on one core, Parquet to stepwise "
            f"({count:,} traces); peak {found[count][2]:.0f} MB, {ratio:.2f} x a tenth's"
        )


def credit(count: int = 20_000) -> None:
    """`export --to credit` without tokens and with them, and how many traces are told in others
    than they were sampled in: those of the embedded models that are frozen in the recipes."""
    with tempfile.TemporaryDirectory() as place:
        told = []
        for more in ([], ["--set", f"tokenizer={ABACUS_MODEL}"]):
            work = {}
            for size in (count // 10, count):
                source = str(Path(place, f"{size}.parquet"))
                if not Path(source).exists():
                    write_traces(source, map(paid, many(size)))
                target = str(Path(place, f"credit{size}{len(more)}"))
                words = ["-m", "prmdata", "export", source, "--to", "credit", *more]
                work[size] = measured([*words, "-o", target, "-q"])[1]
            told.append(0.9 * count / (work[count] - work[count // 10]))
        frozen = [trace for path in FROZEN for trace in read_traces(str(path))]
        paths = str(Path(place, "frozen.jsonl"))
        export([paid(t) for t in frozen if isinstance(t, Trace)], output=paths, to="credit",
               settings={"tokenizer": str(ABACUS_MODEL)})  # fmt: skip
        rows = [json.loads(line) for line in Path(paths).read_text(encoding="utf-8").splitlines()]
    drifted = sum(bool(row["drift"] or row["across"]) for row in rows)
    print(
        f"credit    {told[0]:,.0f} traces a second on one core without tokens, {told[1]:,.0f} with "
        f"({count:,} traces); {drifted} of {len(rows):,} sampled traces in other tokens"
    )


def paid(trace: Trace) -> Trace:
    rewards = tuple(0.5 - 0.1 * n for n in range(len(trace.steps)))
    return trace.with_evidence(Evidence("credit", "scores", rewards=rewards))


def million(count: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, target = str(Path(place, "t.parquet")), str(Path(place, "ds"))
        write_traces(source, many(count))
        export = ["-m", "prmdata", "export", source, "-o", target, "-q"]
        wall, work, peak = measured(export)
        planned, _, _ = measured([*export, "--push-to-hub", "me/ds", "--dry-run"])
        loaded, _, _ = measured(["-c", LOAD, target, str(Path(place, "cache")), str(count)])
        size = sum(file.stat().st_size for file in Path(target).rglob("*.parquet")) / 1e6
    print(
        f"million   {count:,} traces: export {wall:.0f} s ({count / work:,.0f} a second, peak "
        f"{peak:.0f} MB, {size:.0f} MB on disk), dry run of the upload {planned:.1f} s, "
        f"datasets.load_dataset {loaded:.0f} s, every id there once"
    )
