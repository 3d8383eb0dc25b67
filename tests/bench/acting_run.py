"""prmdata with a policy that acts in the place of a model: `python -m tests.bench.acting_run …`."""

from __future__ import annotations

import asyncio
import sys

import prmdata.run.stage
from prmdata.cli import main
from prmdata.sampler.protocol import Completion, Sampling
from tests.agent import Agent


class Slow(Agent):
    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        await asyncio.sleep(0.01)
        return await super().complete(prefix, n, sampling, seed)


async def opened(spec: str, options: object) -> Agent:
    del spec, options
    return Slow()


prmdata.run.stage.open_sampler = opened  # type: ignore[attr-defined]
sys.argv[0] = "prmdata"
main()
