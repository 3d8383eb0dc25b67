"""A tree of siblings under a fixed budget: branches spread over the steps (TreePS-RAG).

The value of a node is the mean outcome of the leaves below it: the trace itself, and what was
sampled from it or from a later step. `V(node) − V(parent)` is the advantage of a step. Verdicts
of tools may steer it (GroundedPRM, arXiv 2510.14942): nothing grows where a step is refuted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import UsageError
from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    detections,
    each,
    probe,
    probed,
    tokens_left,
)
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class RolloutTree:
    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    rollouts: int = 8
    """Of one trace, spread over its steps."""
    verdicts: bool = False
    """Believe verifiers: branches stand before the first step that one calls wrong, and the trace
    itself, which goes on from there, is a leaf that missed."""

    def __post_init__(self) -> None:
        if self.rollouts < 1:
            raise UsageError(f"rollouts={self.rollouts}: must be at least 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            branches = self._branches(trace)
            grown = dict(
                zip(
                    branches,
                    await together(*(probe(rollouts, trace, t, k) for t, k in branches.items())),
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
        branches = self._branches(trace)
        tokens = sum(k * tokens_left(trace, t) for t, k in branches.items())
        return Cost(tokens, sum(branches.values()), 1 if branches else 0)

    def _refuted(self, trace: Trace) -> int | None:
        """The first step that a verifier calls wrong, from 1."""
        return min(detections(trace), default=None) if self.verdicts else None

    def _branches(self, trace: Trace) -> dict[int, int]:
        """After which steps the tree branches, and how often."""
        inner = (self._refuted(trace) or len(trace.steps)) - 1
        if inner < 1:
            return {}
        places = (1 + i * inner // self.rollouts for i in range(self.rollouts))
        return dict(Counter(places))

    def _leaves(self, trace: Trace, grown: dict[int, Probe]) -> dict[int, Probe]:
        leaves = {}
        refuted = self._refuted(trace) is not None
        known = trace.correct is not None or refuted
        hits, count = int(trace.correct is True and not refuted), int(known)
        for t in range(len(trace.steps), 0, -1):
            if t in grown:
                hits += grown[t].hits
                count += grown[t].rollouts
            leaves[t] = Probe(hits, count)
        return leaves
