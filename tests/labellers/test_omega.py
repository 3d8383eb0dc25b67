"""OmegaPRM's tree search against a slow reference written from the paper."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest

from prmdata.grading import Grader
from prmdata.labellers.contract import tokens_left
from prmdata.labellers.omega import Omega, Tree, Wrong
from prmdata.records import Step, Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.traces.generate import cut_steps
from tests.labellers.running import problems
from tests.policy import Policy

K = 4


class Watched(Omega):
    """The method, writing down what it selects and what the tree holds then."""

    chosen: ClassVar[list[tuple[str, str]]] = []
    trees: ClassVar[list[Tree]] = []

    def select(self, tree: Tree) -> Wrong | None:
        wrong = super().select(tree)
        if tree not in self.trees:
            self.trees.append(tree)
            self.chosen.clear()
        if wrong is not None:
            self.chosen.append((wrong.trace.prefix(wrong.state.steps), wrong.trace.text))
        return wrong

    @property
    def tree(self) -> Tree:
        return self.trees[-1]


class Reference:
    """Algorithm 1 and 2 of the paper over plain strings, one problem, nothing shared with ours."""

    def __init__(self, group: list[Trace], rollouts: Rollouts, settings: Omega) -> None:
        self.rollouts, self.settings = rollouts, settings
        self.owner = {t.text: t for t in group}
        self.steps = {t.text: [s.text for s in t.steps] for t in group}
        right = sum(t.correct is True for t in group)
        self.mc = {"": right / len(group)}
        self.visits = {"": 0}
        self.pool = [("", t.text, tokens_left(t, 0)) for t in group if not t.correct]
        self.chosen: list[tuple[str, str]] = []
        self.errors: list[int] = []

    async def run(self) -> None:
        for _ in range(self.settings.searches):
            best, best_score = None, -math.inf
            for item in self.pool:
                state, _, length = item
                if not 0 < self.mc[state] < 1:
                    continue
                q = self.settings.alpha ** (1 - self.mc[state])
                q *= self.settings.beta ** (length / self.settings.length)
                u = self.settings.explore * math.sqrt(sum(self.visits.values()))
                score = q + u / (1 + self.visits[state])
                if score > best_score:
                    best, best_score = item, score
            if best is None:
                return
            self.pool = [item for item in self.pool if item is not best]
            self.visits[best[0]] += 1
            self.chosen.append(best[:2])
            await self.halve(best[0], best[1])

    async def halve(self, state: str, text: str) -> None:
        steps = self.steps[text]
        low = next(i for i in range(len(steps)) if "".join(steps[:i]) == state)
        high = len(steps)
        while high - low > 1:
            middle = (low + high) // 2
            prefix = "".join(steps[:middle])
            if prefix not in self.mc:
                outcomes = await self.rollouts.sample(self.owner[text], middle, K)
                self.mc[prefix] = sum(o.hit for o in outcomes) / K
                self.visits[prefix] = 0
                for outcome in outcomes:
                    whole = prefix + outcome.text
                    if not outcome.hit:
                        more = [s.text for s in cut_steps(outcome.text, "auto")]
                        self.steps[whole] = steps[:middle] + more
                        cut = tuple(Step(text) for text in self.steps[whole])
                        owner = replace(self.owner[text], id=whole, steps=cut)
                        self.owner.setdefault(whole, owner)
                        self.pool.append((prefix, whole, outcome.tokens))
            if self.mc[prefix] > 0:
                low = middle
            else:
                high = middle
        self.errors.append(high - 1)


def test_every_selection_visit_and_value_is_the_paper_s(
    policy: Policy, sample_traces: Callable[[int, int], list[Trace]]
) -> None:
    traces = sample_traces(12, 6)
    searched = 0
    for group in problems(traces):
        method = Watched(rollouts_per_probe=K, searches=12)
        made = asyncio.run(
            apply(method, group, Rollouts(policy, Grader(), RolloutSettings(seed=1)))
        )
        reference = Reference(group, Rollouts(policy, Grader(), RolloutSettings(seed=1)), method)
        asyncio.run(reference.run())
        assert method.chosen == reference.chosen
        states = method.tree.states
        assert {p: s.value for p, s in states.items()} == pytest.approx(reference.mc)
        assert {p: s.visits for p, s in states.items()} == reference.visits
        labels = {t.id: t.labels for t in made}
        errors = [labels[search.of.trace.id] for search in method.tree.searched]
        assert [found.first_error for found in errors if found] == reference.errors
        searched += len(reference.chosen)
    assert searched > 60


def test_no_rollout_is_searched_twice_and_the_pool_shrinks(
    traces: list[Trace], policy: Policy
) -> None:
    for group in problems(traces)[:10]:
        method = Watched(rollouts_per_probe=8, searches=30)
        asyncio.run(apply(method, group, Rollouts(policy, Grader(), RolloutSettings(seed=2))))
        ids = [search.of.trace.id for search in method.tree.searched]
        assert len(ids) == len(set(ids))
        assert not {id(s.of) for s in method.tree.searched} & {id(w) for w in method.tree.pool}
        assert sum(s.visits for s in method.tree.states.values()) == len(ids)


def test_states_that_are_won_or_lost_are_left_alone(policy: Policy, traces: list[Trace]) -> None:
    """With c = 0 of n there is nothing to select: such a problem costs nothing and says nothing."""
    one = next(g for g in problems(traces) if any(t.correct is False for t in g))
    lost = [t for t in one if t.correct is False]
    policy.calls.clear()
    made = asyncio.run(apply(Omega(), lost, Rollouts(policy, Grader(), RolloutSettings(seed=1))))
    assert policy.calls == []
    assert made
    assert all(t.labels is None for t in made)


def test_searched_rollouts_become_traces_with_their_parent(
    traces: list[Trace], policy: Policy
) -> None:
    group = problems(traces)[2]
    made = asyncio.run(
        apply(
            Omega(searches=12),
            group,
            Rollouts(policy, Grader(), RolloutSettings(seed=1)),
        )
    )
    known = {t.id: t for t in made}
    grown = made[len(group) :]
    assert grown
    for trace in grown:
        assert trace.origin.parent is not None
        parent, kept = trace.origin.parent
        assert trace.correct is False
        assert trace.labels is not None
        assert trace.labels.first_error is not None
        assert trace.labels.first_error >= kept
        if parent in known:
            assert known[parent].prefix(kept) == trace.prefix(kept)


def test_branches_that_come_in_are_searched_like_all_others(
    traces: list[Trace], policy: Policy
) -> None:
    searched = 0
    for group in problems(traces)[:10]:
        grown = omega(group, policy, searches=12)
        again = omega([replace(t, labels=None) for t in grown], policy, searches=12, seed=2)
        ids = [trace.id for trace in again]
        assert len(set(ids)) == len(ids)
        assert [trace.error for trace in again] == [None] * len(again)
        for trace in again:
            if trace.labels is None or trace.labels.first_error is None:
                continue
            searched += trace.origin.parent is not None
            first, hits = trace.labels.first_error, trace.evidence[-1].hits
            assert not hits[first]  # no prefix that hit holds the error …
            assert not first or hits[first - 1]  # … and the one before it did
    assert searched > 5


def test_the_root_counts_no_branch(traces: list[Trace], policy: Policy) -> None:
    group = next(g for g in problems(traces) if len(omega(g, policy)) > len(g))
    grown = omega(group, policy)
    method = Watched(rollouts_per_probe=K)
    asyncio.run(apply(method, grown, Rollouts(policy, Grader(), RolloutSettings(seed=1))))
    root = method.tree.states[""]
    assert (root.hits, root.rollouts) == (sum(t.correct is True for t in group), len(group))


def test_a_rollout_that_ends_at_once_is_a_miss_and_no_trace(traces: list[Trace]) -> None:
    policy = Policy({0: 60})
    policy.silent = 2
    grown = 0
    for group in problems(traces)[:10]:
        for trace in omega(group, policy, searches=12)[len(group) :]:
            assert trace.origin.parent is not None
            assert trace.labels is not None
            _, kept = trace.origin.parent
            assert kept < len(trace.steps)
            assert (trace.labels.first_error or 0) >= kept
            assert trace.evidence[-1].rollouts[kept - 1] == K
            grown += 1
    assert grown > 5


def omega(group: list[Trace], policy: Policy, searches: int = 100, seed: int = 1) -> list[Trace]:
    method = Omega(rollouts_per_probe=K, searches=searches)
    return asyncio.run(apply(method, group, Rollouts(policy, Grader(), RolloutSettings(seed=seed))))
