"""AlphaMath's tree against a slow reference over plain strings, and Q against its leaves."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from statistics import mean

import pytest

from prmdata.errors import SamplerError
from prmdata.grading import Grader
from prmdata.labellers.value_tree import State, ValueTree
from prmdata.records import Step, Trace
from prmdata.sampler.protocol import Scored
from prmdata.sampler.rollouts import Outcome, Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.traces.generate import cut_steps
from tests.labellers.running import problems, run
from tests.policy import Policy

Path = tuple[str, ...]


class Reference:
    """The search over tuples of steps; a value is kept with the place where it was found, and Q is
    worked out anew from all of them each time: no counters, no tree."""

    def __init__(self, group: list[Trace], rollouts: Rollouts, settings: ValueTree) -> None:
        self.rollouts, self.settings = rollouts, settings
        self.any = group[0]
        self.whole = [
            (tuple(s.text for s in t.steps), t.correct is True)
            for t in group
            if t.correct is not None
        ]
        self.found: list[tuple[Path, float]] = []
        """Where a value was found, and the value."""
        self.children: dict[Path, list[Path]] = {}
        self.priors: dict[Path, float] = {}
        self.ended: set[Path] = set()
        self.expanded: list[Path] = []

    def below(self, path: Path) -> list[float]:
        return [value for at, value in self.found if at[: len(path)] == path]

    def q(self, path: Path) -> float | None:
        values = self.below(path)
        return mean(values) if values else None

    def closed(self, path: Path) -> bool:
        if path in self.ended:
            return True
        below = self.children.get(path)
        return below is not None and all(self.closed(child) for child in below)

    async def run(self) -> None:
        for _ in range(self.settings.simulations):
            if self.closed(()):
                return
            path: Path = ()
            while path in self.children:
                n = len(self.below(path))
                best, best_score = path, -math.inf
                for child in self.children[path]:
                    if self.closed(child):
                        continue
                    score = self.settings.c_puct * self.priors[child] * math.sqrt(n)
                    score = (self.q(child) or 0) + score / (1 + len(self.below(child)))
                    if score > best_score:
                        best, best_score = child, score
                path = best
            await self.expand(path)

    async def expand(self, path: Path) -> None:
        if path:
            self.expanded.append(path)
            longer = next(s for s, _ in self.whole if s[: len(path)] == path)
            trace = replace(self.any, id=str(path), steps=tuple(map(Step, longer)))
            for done in await self.rollouts.sample(trace, len(path), self.settings.children):
                steps = tuple(s.text for s in cut_steps(done.text, self.any.origin.steps))
                self.whole.append((path + steps, done.hit))
        through = [(s, hit) for s, hit in self.whole if s[: len(path)] == path and s != path]
        self.children[path] = list(dict.fromkeys(s[: len(path) + 1] for s, _ in through))
        prompt = self.rollouts._prompt(self.any)
        for child in self.children[path]:
            scores = await self.rollouts.sampler.score(prompt + "".join(path), child[-1])
            self.priors[child] = math.exp(mean(scores.logprobs))
        self.found.append((path, mean(1.0 if hit else -1.0 for _, hit in through)))
        for steps, hit in dict(through).items():
            if len(steps) == len(path) + 1:
                self.ended.add(steps)
                self.found.append((steps, 1.0 if hit else -1.0))


def fresh(policy: Policy) -> Rollouts:
    return Rollouts(policy, Grader(), RolloutSettings(seed=5))


@pytest.mark.parametrize("settings", [{}, {"simulations": 15, "children": 3, "c_puct": 3.0}])
def test_it_searches_and_values_as_the_paper_says(
    settings: dict[str, float], traces: list[Trace], policy: Policy
) -> None:
    method = ValueTree(**settings)  # type: ignore[arg-type]
    valued = 0
    for group in problems(traces)[:8]:
        rollouts = fresh(policy)
        reference = Reference(group, fresh(policy), method)
        asyncio.run(reference.run())
        policy.calls.clear()
        made = asyncio.run(apply(method, group, rollouts))
        prompt = rollouts._prompt(group[0])
        asked = [prefix.removeprefix(prompt) for prefix, _, _ in policy.calls]
        assert asked == ["".join(path) for path in reference.expanded]
        assert {n for _, n, _ in policy.calls} <= {method.children}
        for trace in made:
            steps = tuple(step.text for step in trace.steps)
            *inner, last = trace.evidence[-1].values
            assert last == float(trace.correct is True)
            for t, value in enumerate(inner, 1):
                q = reference.q(steps[:t])
                assert (value is None) == (q is None)
                assert value is None or value == pytest.approx((q + 1) / 2)  # type: ignore[operator]
                valued += value is not None
        assert sum(t.evidence[-1].cost.rollouts for t in made) == method.children * len(asked)
        assert sum(t.evidence[-1].cost.rounds for t in made) == len(asked)
    assert valued > 100


def test_branches_become_traces_with_a_parent_that_is_there(
    traces: list[Trace], policy: Policy
) -> None:
    group = problems(traces)[3]
    made = asyncio.run(apply(ValueTree(simulations=20), group, fresh(policy)))
    known = {trace.id: trace for trace in made}
    assert len(known) == len(made) > len(group)
    for trace in made[len(group) :]:
        assert trace.origin.parent is not None
        parent, kept = trace.origin.parent
        assert known[parent].prefix(kept) == trace.prefix(kept)
        assert trace.evidence_named("value-tree").values[kept] is not None  # type: ignore[union-attr]
    alone = asyncio.run(apply(ValueTree(simulations=20, grow=False), group, fresh(policy)))
    assert [t.evidence[-1].values for t in alone] == [
        t.evidence[-1].values for t in made[: len(group)]
    ]


def test_a_branch_is_no_rollout_of_the_root(traces: list[Trace], policy: Policy) -> None:
    group = problems(traces)[3]
    method = ValueTree(simulations=20)
    first = asyncio.run(apply(method, group, fresh(policy)))
    assert len(first) > len(group)
    again = asyncio.run(apply(method, first, fresh(policy)))
    values = [{t.id: t.evidence[-1].values for t in made} for made in (first, again)]
    assert values[1] == values[0]


def test_what_a_policy_always_solves_is_worth_1() -> None:
    """And what it often spoils is worth less, from the same beginnings."""
    sure = Policy({0: 60}, slips=0.0)
    wild = Policy({0: 60}, slips=0.3)
    (made, other) = (run("value-tree", _right(p), p, simulations=10) for p in (sure, wild))
    found = [v for t in made for v in t.evidence[-1].values if v is not None]
    assert set(found) == {1.0}
    assert min(v for t in other for v in t.evidence[-1].values if v is not None) < 0.9


def _right(policy: Policy) -> list[Trace]:
    from tests.conftest import _sampled

    return [t for t in asyncio.run(_sampled(policy, 12, 2)) if t.correct]


def test_a_sampler_that_cannot_score_is_served_by_uniform_priors(traces: list[Trace]) -> None:
    class Mute(Policy):
        async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
            raise SamplerError("scoring text needs a model")

    with pytest.raises(SamplerError, match="prior=uniform"):
        run("value-tree", traces[:4], Mute({0: 60}))
    made = run("value-tree", traces[:4], Mute({0: 60}), prior="uniform")
    assert any(v is not None for t in made for v in t.evidence[-1].values[:-1])


def test_a_rollout_that_ends_at_once_counts_for_the_state_though_it_adds_no_child(
    traces: list[Trace],
) -> None:
    class Ending:
        async def sample(self, trace: Trace, after_step: int, n: int) -> list[Outcome]:
            assert (trace, after_step, n) == (wrong, 1, 3)
            return [Outcome(True, "right", "1", 1, text) for text in ("", "\n", "")]

    wrong = next(trace for trace in traces if trace.correct is False and len(trace.steps) > 1)
    root = State(wrong, 0)
    leaf = State(wrong, 1, root)
    tree = ValueTree(children=3, prior="uniform")
    asyncio.run(tree._expand(leaf, [wrong], Ending()))  # type: ignore[arg-type]
    assert len(leaf.children) == 1
    assert leaf.total == (-1 + 3) / 4 + (-1 if leaf.children[0].ends else 0)
