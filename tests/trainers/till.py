"""A taskset of verifiers: a till that remembers what was rung up, and is sometimes locked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf

__all__ = ["TillTaskset"]
AMOUNTS = (20, 300)


class Sum(vf.State):
    cents: int = 0


class Till(vf.Toolset[vf.ToolsetConfig, Sum]):
    @vf.tool
    async def ring(self, cents: int) -> str:
        """Ring up an amount in cents; says the sum so far."""
        self.state.cents += cents
        return f"{self.state.cents} cents"

    @vf.tool
    async def empty(self) -> str:
        """Empty the till."""
        raise ValueError("it is locked")


class Customer(vf.TaskData):
    total: int


class Task(vf.Task[Customer, Sum]):
    @classmethod
    def toolsets(cls, config: vf.TaskConfig) -> list[vf.Toolset]:
        del config
        return [Till(vf.ToolsetConfig())]

    @vf.reward(weight=0.75)
    async def says_the_sum(self, trace: vf.Trace) -> float:
        return float(str(self.data.total) in (trace.last_reply or ""))

    @vf.reward(weight=0.25)
    async def rang_it_all_up(self, trace: vf.Trace) -> float:
        return float(trace.state.cents == self.data.total)


class Boxed(Task):
    async def setup(self, trace: vf.Trace, runtime: Any) -> None:
        await runtime.run(["true"], {})


class TillTaskset(vf.Taskset[Task]):
    def load(self) -> Iterable[Task]:
        for number in range(5):
            prompt = f"Ring up {number + 1}, 20 and 300 cents. What is the sum?"
            kind = Boxed if number == 4 else Task
            yield kind(Customer(prompt=prompt, total=number + 1 + sum(AMOUNTS)))
