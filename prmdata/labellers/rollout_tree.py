"""A tree of siblings under a fixed budget: branches spread over the steps (TreePS-RAG).

The value of a node is the mean outcome of the leaves below it: the trace itself, and what was
sampled from it or from a later step. `V(node) − V(parent)` is the advantage of a step.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.labellers.contract import Need, Probe, Verb, each, probe, probed, tokens_left
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class RolloutTree:
    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    rollouts: int = 8
    """Of one trace, spread over its steps."""

    def __post_init__(self) -> None:
        if self.rollouts < 1:
            raise UsageError(f"rollouts={self.rollouts}: must be at least 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            branches = self._branches(len(trace.steps))
            grown = dict(
                zip(
                    branches,
                    await asyncio.gather(
                        *(probe(rollouts, trace, t, k) for t, k in branches.items())
                    ),
                    strict=True,
                )
            )
            return trace.with_evidence(
                Evidence(
                    name="rollout-tree",
                    kind="rollouts",
                    **probed(trace, self._leaves(trace, grown)),
                    stopping="fixed",
                    settings=settings_of(self),
                    cost=rollouts.cost(trace, 1 if grown else 0),
                )
            )

        return await each(group, one)

    def forecast(self, trace: Trace) -> Cost:
        branches = self._branches(len(trace.steps))
        tokens = sum(k * tokens_left(trace, t) for t, k in branches.items())
        return Cost(tokens, sum(branches.values()), 1 if branches else 0)

    def _branches(self, steps: int) -> dict[int, int]:
        """After which steps the tree branches, and how often."""
        inner = steps - 1
        if inner < 1:
            return {}
        places = (1 + i * inner // self.rollouts for i in range(self.rollouts))
        return dict(Counter(places))

    def _leaves(self, trace: Trace, grown: dict[int, Probe]) -> dict[int, Probe]:
        leaves = {}
        known = trace.correct is not None
        hits, count = int(trace.correct is True), int(known)
        for t in range(len(trace.steps), 0, -1):
            if t in grown:
                hits += grown[t].hits
                count += grown[t].rollouts
            leaves[t] = Probe(hits, count)
        return leaves
