"""The value of a prefix is the mean outcome of the problem's traces that begin with it.

No new rollouts: the traces that a problem has are folded into a tree of prefixes (TEMPO, P2T).
Branches do not count: a search gave them their first steps, and wrote them for how they ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import Need, Probe, Verb, independent, probed
from prmdata.labellers.tree.prefixes import prefix_names
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """Take it where problems have many traces and no sampler is at hand."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("siblings",)

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        below: dict[bytes, Probe] = defaultdict(Probe)
        for trace in independent(group):
            outcome = rollouts.outcome_of(trace)
            if outcome is None:
                continue
            for name in prefix_names(trace):
                below[name].rollouts += 1
                below[name].hits += outcome
        return [self._valued(trace, below) for trace in group]

    def _valued(self, trace: Trace, below: dict[bytes, Probe]) -> Trace:
        nodes = dict(enumerate(below[name] for name in prefix_names(trace)))
        return trace.with_evidence(
            Evidence(
                name="prefix-tree",
                kind="rollouts",
                **probed(trace, nodes),
                stopping="fixed",
                settings=settings_of(self),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return Cost()
