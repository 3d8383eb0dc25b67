"""A tree search for first errors, one tree per problem (OmegaPRM, arXiv 2406.06592).

States are prefixes; each keeps its rollouts. Again and again the most promising wrong rollout of
a state is taken out of the pool and searched by halves; every prefix probed on the way becomes a
state, and its wrong rollouts join the pool. Searched rollouts become traces of their own, with
their parent in `origin.parent`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from prmdata.errors import GraderError, ItemError, UsageError
from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    decided,
    independent,
    probed,
    taken_at_its_word,
    tokens_left,
    without_outcome,
)
from prmdata.labellers.tree.branches import branches
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Amount, settings_of


@dataclass(eq=False, slots=True)
class State:
    """A prefix, and how its rollouts ended."""

    steps: int
    """The number of its steps."""
    hits: int
    rollouts: int
    visits: int = 0

    @property
    def value(self) -> float:
        return self.hits / self.rollouts if self.rollouts else 0.0


@dataclass(eq=False, slots=True)
class Wrong:
    """A rollout of a state that missed, as a whole trace."""

    state: State
    trace: Trace
    tokens: int
    """The tokens of the rollout alone, without its prefix."""


@dataclass(eq=False, slots=True)
class Search:
    """A binary search for the first error of one rollout."""

    of: Wrong
    right: int
    """Steps of the longest prefix that hit …"""
    wrong: int
    """… and of the shortest that did not: its last step is the first error."""
    probes: int = 0


@dataclass(eq=False, slots=True)
class Tree:
    states: dict[str, State]
    pool: list[Wrong]
    given: frozenset[str]
    """Ids of the traces that came in, branches of an earlier search among them."""
    searched: list[Search] = field(default_factory=list)
    """In the order of the search."""


@dataclass(frozen=True, slots=True)
class Omega:
    """Take it where more labelled traces are wanted too: rollouts become traces of their own."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "siblings")

    rollouts_per_probe: int = 8
    searches: int = 100
    """At most this many per problem."""
    alpha: Amount = 0.5
    """Q = alpha^(1 − MC) · beta^(tokens / length): prefers likely prefixes …"""
    beta: Amount = 0.9
    """… and short rollouts."""
    length: int = 500
    explore: Amount = 0.125
    """U = explore · sqrt(Σ visits) / (1 + visits)."""
    grow: bool = True
    """Write the rollouts that were searched as traces, beside those that came in."""

    def __post_init__(self) -> None:
        if self.rollouts_per_probe < 1 or self.searches < 0 or self.length < 1:
            raise UsageError(
                "omega: rollouts_per_probe and length must be at least 1, searches at least 0"
            )

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        tree = self._root(group, rollouts)
        failed: dict[str, str] = {}
        while len(tree.searched) < self.searches and (chosen := self.select(tree)):
            tree.pool.remove(chosen)
            chosen.state.visits += 1
            try:
                await self._search(chosen, tree, rollouts)
            except (ItemError, GraderError) as error:
                failed[chosen.trace.id] = str(error)
        return self._results(group, tree, rollouts, failed)

    def select(self, tree: Tree) -> Wrong | None:
        """The wrong rollout with the highest Q + U, of a state that is neither won nor lost."""
        total = math.sqrt(sum(state.visits for state in tree.states.values()))

        def promise(wrong: Wrong) -> float:
            state = wrong.state
            q = self.alpha ** (1 - state.value) * self.beta ** (wrong.tokens / self.length)
            return float(q + self.explore * total / (1 + state.visits))

        open_ones = [wrong for wrong in tree.pool if 0 < wrong.state.hits < wrong.state.rollouts]
        return max(open_ones, key=promise, default=None)

    def forecast(self, trace: Trace) -> Cost:
        if trace.correct is not False or len(trace.steps) < 2:
            return Cost()
        share = self.searches / max(trace.group.wrong if trace.group else 1, 1)
        probes = math.ceil(math.log2(len(trace.steps)) * max(share, 1))
        rollouts = probes * self.rollouts_per_probe
        return Cost(rollouts * tokens_left(trace, len(trace.steps) // 2), rollouts, probes)

    def _root(self, group: Sequence[Trace], rollouts: Rollouts) -> Tree:
        """The problem itself: its rollouts are the traces it has. Branches are searched as well."""
        drawn = [rollouts.outcome_of(trace) for trace in independent(group) if trace.steps]
        root = State(0, drawn.count(True), len(drawn) - drawn.count(None))
        wrong = [
            Wrong(root, trace, tokens_left(trace, 0))
            for trace in group
            if trace.correct is False and trace.steps
        ]
        return Tree({"": root}, wrong, frozenset(trace.id for trace in group))

    async def _search(self, chosen: Wrong, tree: Tree, rollouts: Rollouts) -> None:
        trace = chosen.trace
        search = Search(chosen, chosen.state.steps, len(trace.steps))
        tree.searched.append(search)
        while search.wrong - search.right > 1:
            middle = (search.right + search.wrong) // 2
            prefix = trace.prefix(middle)
            if prefix not in tree.states:
                outcomes = await rollouts.sample(trace, middle, self.rollouts_per_probe)
                search.probes += 1
                if not outcomes:
                    raise without_outcome(trace, middle, self.rollouts_per_probe)
                hits = sum(outcome.hit for outcome in outcomes)
                state = tree.states[prefix] = State(middle, hits, len(outcomes))
                tree.pool += [
                    Wrong(state, branch, outcome.tokens)
                    for branch, outcome in branches(trace, middle, outcomes)
                    if branch.correct is False and branch.id not in tree.given
                ]
            if tree.states[prefix].hits:
                search.right = middle
            else:
                search.wrong = middle

    def _results(
        self, group: Sequence[Trace], tree: Tree, rollouts: Rollouts, failed: dict[str, str]
    ) -> list[Trace]:
        searched = {search.of.trace.id: search for search in tree.searched}
        made = []
        for trace in group:
            if trace.correct:
                made.append(taken_at_its_word(trace, self, "omega"))
            elif trace.id in failed:
                made.append(trace.failed(failed[trace.id]))
            elif trace.id in searched:
                made.append(self._labelled(searched[trace.id], tree, rollouts))
            else:
                made.append(trace.with_evidence(self._evidence(trace, tree, Cost())))
        if not self.grow:
            return made
        known = tree.given | failed.keys()
        grown = [search for name, search in searched.items() if name not in known]
        return made + [self._labelled(search, tree, rollouts) for search in grown]

    def _labelled(self, search: Search, tree: Tree, rollouts: Rollouts) -> Trace:
        trace = search.of.trace
        evidence = self._evidence(trace, tree, rollouts.cost(trace, search.probes))
        return decided(trace, self, "omega", search.wrong - 1, evidence)

    def _evidence(self, trace: Trace, tree: Tree, cost: Cost) -> Evidence:
        states = {t: tree.states.get(trace.prefix(t)) for t in range(1, len(trace.steps))}
        probes = {t: Probe(state.hits, state.rollouts) for t, state in states.items() if state}
        return Evidence(
            name="omega",
            kind="rollouts",
            **probed(trace, probes),
            stopping="fixed",
            settings=settings_of(self),
            cost=cost,
        )
