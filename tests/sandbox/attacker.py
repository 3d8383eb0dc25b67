"""Run every attack at one level as whoever we are: `python -m tests.sandbox.attacker LEVEL`.

Prints a JSON object, attack → what it achieved; an empty text where it was stopped.
"""

from __future__ import annotations

import asyncio
import json
import sys

from prmdata.errors import SandboxError
from prmdata.sandbox import Result, Sandbox
from tests.sandbox.attacks import FILES, NETWORK, PROCESSES
from tests.sandbox.bombs import ANYHOW, FORGERIES, RESOURCES, Bomb
from tests.sandbox.surroundings import Surroundings, processes, surroundings

DEADLINE_S, MEMORY_MB, OUTPUT_BYTES = 0.7, 64, 1 << 20
SLACK_S = 10.0
"""For a machine that is busy: what is not stopped goes on for longer."""
BOMBS = {name: Bomb(code, ANYHOW) for name, code in (FILES | PROCESSES | NETWORK).items()}
BOMBS |= RESOURCES | FORGERIES


async def verdicts(level: str) -> dict[str, str]:
    """Two halves beside each other, each with a sandbox and a victim of its own."""
    names = list(BOMBS)
    halves = await asyncio.gather(*(_half(level, names[part::2]) for part in (0, 1)))
    return {name: what for half in halves for name, what in half.items()}


async def _half(level: str, names: list[str]) -> dict[str, str]:
    with surroundings() as around:
        async with Sandbox(level, workers=1) as box:
            return {name: await verdict(box, around, BOMBS[name]) for name in names}


async def verdict(box: Sandbox, around: Surroundings, bomb: Bomb) -> str:
    """Empty where the attack was stopped and the next run is as good as new."""
    code = around.prologue + bomb.code
    result = await box.run(code, deadline_s=DEADLINE_S, memory_mb=MEMORY_MB)
    scratch = str((await box.run("import os; os.getcwd()")).value)
    left = await _left(scratch)
    after = await box.run("import os\n[1 + 1, os.listdir()]")
    return (
        achieved(result, bomb, around)
        or around.harm()
        or ("it took longer than its deadline" if result.seconds > DEADLINE_S + SLACK_S else "")
        or (f"{left} processes are left" if left else "")
        or (f"the next run is not as good as new: {after}" if after.value != [2, []] else "")
    )


async def _left(scratch: str) -> int:
    """Processes beside the zygote and the runner that waits for the next run."""
    for _ in range(20):
        left = len(processes(scratch)) - 2
        if left <= 0:
            return 0
        await asyncio.sleep(0.1)
    return left


def achieved(result: Result, bomb: Bomb, around: Surroundings) -> str:
    if around.canary in f"{result.stdout}{result.stderr}{result.value}":
        return "the secret came out"
    if result.exit not in bomb.exits | {"timeout"}:  # a busy machine stops it that way
        return f"it ended as {result.exit}: {result.stderr[-300:]}"
    if result.value not in (bomb.value, False):
        return f"it came back with {result.value!r:.100}"
    return "too much output" if len(result.stdout + result.stderr) > 2 * OUTPUT_BYTES else ""


def main() -> None:
    try:
        print(json.dumps(asyncio.run(verdicts(sys.argv[1]))))
    except SandboxError as error:
        print(json.dumps({"refused": str(error)}))


if __name__ == "__main__":
    main()
