"""One tree of steps for each problem, under a budget of leaves (TreePS-RAG).

Equal prefixes are one node. Its value is the mean outcome of the leaves below it, so it is the mean
of its children's values, weighted by their leaves. The problem's traces are leaves that are paid
for; the others are sampled from prefixes of these traces, spread over traces and depths. The
advantage V(node) − V(parent) of each step is written as its reward. Verdicts of tools may steer the
tree (GroundedPRM, arXiv 2510.14942): nothing grows after a step that is refuted.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from prmdata.errors import GraderError, ItemError
from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    detections,
    independent,
    probed,
    tokens_left,
)
from prmdata.labellers.tree.branches import branches
from prmdata.labellers.tree.prefixes import prefix_names
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together


@dataclass(slots=True)
class Tree:
    refuted: frozenset[bytes] = frozenset()
    """Prefixes that end with a step which a verifier calls wrong: leaves below them missed."""
    nodes: defaultdict[bytes, Probe] = field(default_factory=lambda: defaultdict(Probe))
    """Prefix → the leaves below it."""

    def add(self, trace: Trace, outcome: bool, depth: int) -> None:
        """A leaf: the trace, which ends after `depth` steps."""
        prefixes = prefix_names(trace)[: depth + 1]
        hit = outcome and self.refuted.isdisjoint(prefixes)
        for prefix in prefixes:
            node = self.nodes[prefix]
            node.rollouts += 1
            node.hits += hit

    def open_prefixes(self, trace: Trace) -> list[bytes]:
        """Those from which leaves may grow, beginning with the empty one."""
        names = prefix_names(trace)[: len(trace.steps)]
        return list(itertools.takewhile(lambda name: name not in self.refuted, names))


@dataclass(frozen=True, slots=True)
class RolloutTree:
    """Take it for values and advantages of steps under a fixed number of rollouts per problem."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "siblings")

    leaves: Count = 64
    """Leaves of a problem's tree: its own traces, and as many rollouts as make up this number."""
    verdicts: bool = False
    """Believe verifiers: nothing is sampled after a step that one calls wrong, and whatever goes on
    from such a step is a leaf that missed."""
    grow: bool = False
    """Write the leaves that were sampled as traces, beside those that came in."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        tree, grown, failed = Tree(self._refuted(group)), list[Trace](), dict[str, str]()
        drawn = [t for t in independent(group) if t.steps and rollouts.outcome_of(t) is not None]
        for trace in drawn:
            tree.add(trace, rollouts.outcome_of(trace) is True, len(trace.steps))

        async def sample(trace: Trace, depth: int, n: int) -> None:
            try:
                outcomes = await rollouts.sample(trace, depth, n)
            except (ItemError, GraderError) as error:
                failed[trace.id] = str(error)
                return
            for outcome in outcomes:
                if not outcome.text.strip():
                    tree.add(trace, outcome.hit, depth)
            for branch, outcome in branches(trace, depth, outcomes):
                tree.add(branch, outcome.hit, len(branch.steps))
                grown.append(branch)

        plan = self._plan(drawn, tree)
        await together(*(sample(trace, depth, n) for trace, depth, n in plan))
        paying = {trace.id for trace, _, _ in plan}
        given = {trace.id for trace in group}
        new = sorted((t for t in grown if self.grow and t.id not in given), key=lambda t: t.id)
        return [
            trace.failed(failed[trace.id])
            if trace.id in failed
            else self._valued(trace, tree, rollouts.cost(trace, int(trace.id in paying)))
            for trace in [*group, *new]
        ]

    def forecast(self, trace: Trace) -> Cost:
        if not trace.steps:
            return Cost()
        traces = max(trace.group.n if trace.group else 1, 1)
        count = -(-max(self.leaves - traces, 0) // traces)
        return Cost(count * tokens_left(trace, len(trace.steps) // 2), count, 1 if count else 0)

    def _refuted(self, group: Sequence[Trace]) -> frozenset[bytes]:
        first = ((t, min(detections(t), default=None)) for t in group if self.verdicts)
        return frozenset(prefix_names(t)[step] for t, step in first if step is not None)

    def _plan(self, traces: Sequence[Trace], tree: Tree) -> list[tuple[Trace, int, int]]:
        """Traces, after how many of their steps to sample, and how often.

        Round by round, each trace names the node at some depth; a node that several name is
        sampled once in that round.
        """
        missing = max(self.leaves - len(traces), 0) if traces else 0
        prefixes = [(trace, tree.open_prefixes(trace)) for trace in traces]
        places: dict[bytes, tuple[Trace, int]] = {}
        chosen = Counter[bytes]()
        for share in spread():
            named: dict[bytes, tuple[Trace, int]] = {}
            for trace, names in prefixes:
                depth = int(share * len(names))
                named.setdefault(names[depth], (trace, depth))
            for name in itertools.islice(named, missing - chosen.total()):
                chosen[name] += 1
                places.setdefault(name, named[name])
            if chosen.total() >= missing:
                break
        return [(*places[name], n) for name, n in chosen.items()]

    def _valued(self, trace: Trace, tree: Tree, cost: Cost) -> Trace:
        nodes = [tree.nodes[name] for name in prefix_names(trace)]
        values = [node.hits / node.rollouts if node.rollouts else None for node in nodes]
        return trace.with_evidence(
            Evidence(
                name="rollout-tree",
                kind="rollouts",
                **probed(trace, dict(enumerate(nodes))),
                stopping="fixed",
                settings=settings_of(self),
                cost=cost,
                rewards=tuple(
                    None if before is None or after is None else after - before
                    for before, after in itertools.pairwise(values)
                ),
            )
        )


def spread() -> Iterator[float]:
    """Places in [0, 1), each far from those before it: ½, ¼, ¾, ⅛, ⅝ … (van der Corput)."""
    for number in itertools.count(1):
        bits = f"{number:b}"[::-1]
        yield int(bits, 2) / 2 ** len(bits)
