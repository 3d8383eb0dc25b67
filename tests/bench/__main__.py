"""The figures that `make bench` prints: ratios within one run, since machines are noisy.

python -m tests.bench [start overhead memory client bookkeeping kill export credit million acting]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from prmdata.files import read_traces, write_traces
from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.problems import abacus
from prmdata.records import Labels, Trace
from prmdata.run.stage import RunOptions
from prmdata.run.target import FileOutput
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import StoredSampler
from prmdata.stages.label import Labelling, run_labelling
from prmdata.traces.generate import Generation, generate
from tests.bench import bench_acting, bench_bookkeeping, bench_export, client, kill
from tests.policy import Policy


def start() -> None:
    """`prmdata --help` beside importing its command-line library."""
    ours = [sys.executable, "-m", "prmdata", "--help"]
    theirs = [sys.executable, "-c", "import typer"]
    ratios = []
    for _ in range(9):
        a, b = (_seconds(words) for words in (ours, theirs))
        ratios.append(a / b)
    print(f"start     --help takes {statistics.median(ratios):.2f} x the time of `import typer`")


def _seconds(words: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, capture_output=True, check=True)
    return time.perf_counter() - started


async def record(problems: int, samples: int, k: int, store: Path, traces: Path) -> None:
    """Traces of the weightless policy, and every rollout that `mc` will ask for."""
    policy, grader = Policy({0: problems}), Grader()
    made: list[Trace] = []
    for problem in abacus.read(str(problems), lambda rows: rows):
        made += await generate(problem, policy, grader, Generation(samples=samples))
    write_traces(str(traces), made)
    await grader.close()
    stored = StoredSampler(policy, Store(store))
    for first in range(0, len(made), 80 * samples):
        await _estimate(stored, made[first : first + 80 * samples], k)
    await stored.close()


async def _estimate(sampler: StoredSampler, traces: list[Trace], k: int) -> None:
    from prmdata.sampler.rollouts import Rollouts, RolloutSettings
    from prmdata.stages.label import apply

    values = method("mc", "estimate", {"rollouts_per_step": k})
    grader = Grader()
    for group in {t.problem.id: [] for t in traces}:
        members = [t for t in traces if t.problem.id == group]
        await apply(values, members, Rollouts(sampler, grader, RolloutSettings()))
    await grader.close()


def overhead() -> None:
    """Graded rollouts a second through the whole stage, where sampling costs nothing."""
    with tempfile.TemporaryDirectory() as place:
        store, traces = Path(place, "store"), Path(place, "t.jsonl")
        asyncio.run(record(150, 8, 8, store, traces))
        words = [sys.executable, "-m", "tests.bench", "one-core", str(store), str(traces), "8"]
        print(subprocess.run(words, capture_output=True, text=True, check=True).stdout, end="")


def one_core(store: str, traces: str, k: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asked = Labelling(
        "estimate",
        "mc",
        method("mc", "estimate", {"rollouts_per_step": k}),
        source=traces,
        sampler=f"replay:{store}",
    )
    output = FileOutput(f"{traces}.out.jsonl", "estimate", asked.settings(), asked.inputs())
    started = time.perf_counter()
    asyncio.run(run_labelling(asked, output, RunOptions(store=None, quiet=True)))
    seconds = time.perf_counter() - started
    output.close()
    rollouts = sum(
        t.evidence[-1].cost.rollouts
        for t in read_traces(f"{traces}.out.jsonl")
        if isinstance(t, Trace)
    )
    rate = rollouts / seconds
    print(f"overhead  {rate:,.0f} graded rollouts a second on one core ({rollouts:,} rollouts)")


def memory() -> None:
    """Peak memory over many traces beside that over a tenth of them."""
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_memory(Path(place)))


async def _memory(place: Path) -> None:
    policy, grader = Policy({0: 50}), Grader()
    some: list[Trace] = []
    for problem in abacus.read("50", lambda rows: rows):
        some += await generate(problem, policy, grader, Generation(samples=8))
    labelled = [replace(t, labels=Labels("bench", values=(1.0,) * len(t.steps))) for t in some]
    peaks = {}
    for count in (20_000, 200_000):
        path = place / f"{count}.jsonl"
        write_traces(str(path), (_copy(labelled[i % 400], i // 400) for i in range(count)))
        peaks[count] = _peak(["export", str(path), "-o", str(place / f"out{count}"), "-q"])
        path.unlink()
    ratio = peaks[200_000] / peaks[20_000]
    print(f"memory    export of 200,000 traces: {peaks[200_000]:.0f} MB, {ratio:.2f} x a tenth's")
    for problems in (250, 2500):
        store, traces = place / f"s{problems}", place / f"t{problems}.jsonl"
        await record(problems, 8, 2, store, traces)
        words = ["estimate", str(traces), "-o", str(place / f"e{problems}.jsonl"), "-q"]
        words += ["--sampler", f"replay:{store}", "--set", "rollouts_per_step=2"]
        peaks[problems] = _peak(words)
    ratio = peaks[2500] / peaks[250]
    print(f"memory    estimate of 20,000 traces: {peaks[2500]:.0f} MB, {ratio:.2f} x a tenth's")


def _copy(trace: Trace, number: int) -> Trace:
    problem = replace(trace.problem, id=f"{trace.problem.id}-{number}")
    return replace(trace, id=f"{trace.id}-{number}", problem=problem)


PEAK = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss / 1024)
sys.exit(status != 0)
"""


def _peak(words: list[str]) -> float:
    """Megabytes of the largest resident set; a child's starts with its parent's, so a small one."""
    line = [sys.executable, "-S", "-c", PEAK, sys.executable, "-m", "prmdata", *words]
    return float(subprocess.run(line, capture_output=True, text=True, check=True).stdout)


def kills() -> None:
    for name, figure in kill.compare(30).items():
        print(f"kill      {name}: {figure}")


def clients() -> None:
    print(f"client    {client.figure()}")


BENCHES = {
    "start": start,
    "overhead": overhead,
    "memory": memory,
    "client": clients,
    "bookkeeping": bench_bookkeeping.main,
    "kill": kills,
    "export": bench_export.speed,
    "credit": bench_export.credit,
    "million": bench_export.million,
    "acting": bench_acting.main,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["one-core"]:
        one_core(*sys.argv[2:])
    else:
        for name in sys.argv[1:] or BENCHES:
            BENCHES[name]()
