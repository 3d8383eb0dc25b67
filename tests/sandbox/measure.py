"""Speed: `python -m tests.sandbox.measure [runs]` prints runs a second and what they cost."""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from prmdata.errors import SandboxError
from prmdata.sandbox import LEVELS, Sandbox

CODE = "def double(x):\n    return 2 * x\n\n[double(x) for x in range(10)]"
HANG, DEADLINE_S = "while True: pass", 0.5


async def throughput(level: str, runs: int) -> str:
    start, spent = time.perf_counter(), processor_seconds()
    async with Sandbox(level, workers=2) as box:
        opened = time.perf_counter()
        results = await asyncio.gather(*(box.run(CODE) for _ in range(runs)))
        done = time.perf_counter()
    assert all(result.value == list(range(0, 20, 2)) for result in results)
    cost = (processor_seconds() - spent) / runs
    alone = await beside_a_hang(level)
    return (
        f"{level:<11} opens in {opened - start:.2f} s; {runs / (done - opened):.0f} runs/s "
        f"on two workers; {1000 * cost:.1f} ms of processor a run, opening included, so "
        f"{2 / cost:.0f} runs/s on two idle cores; {alone}"
    )


async def beside_a_hang(level: str) -> str:
    """What a hostile step costs: its own deadline, while the other worker goes on."""
    async with Sandbox(level, workers=2) as box:
        hang = asyncio.create_task(box.run(HANG, deadline_s=DEADLINE_S))
        good = 0
        while not hang.done():
            good += (await box.run(CODE)).exit == "ok"
        seconds = hang.result().seconds
    return f"an endless loop with {DEADLINE_S} s to run took {seconds:.3f} s, {good} runs beside it"


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


async def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for level in LEVELS:
        try:
            print(await throughput(level, runs))
        except SandboxError as error:
            print(f"{level:<11} {error}")


if __name__ == "__main__":
    asyncio.run(main())
