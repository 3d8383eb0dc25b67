"""A tree search for the value Q of every step, one tree per problem (AlphaMath, arXiv 2405.03553).

A state is a prefix. Its children are the next steps of the whole traces that begin with it, each
with a prior, exp(mean log-probability of its tokens); its value is the mean outcome of those
traces, +1 or −1. That is where rollouts stand for the paper's value model: expanding a state
samples `children` of them, which are children and evidence at once. The problem's own traces are
the rollouts of its root. Searched branches become traces with their parent in `origin.parent`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import ClassVar, Literal

from prmdata.errors import GraderError, ItemError, SamplerError, UsageError
from prmdata.labellers.contract import Need, Verb, independent, tokens_left
from prmdata.labellers.tree.branches import branches
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of
from prmdata.tasks import together


@dataclass(eq=False, slots=True)
class State:
    via: Trace
    """The whole trace by which it came into the tree."""
    steps: int
    """The number of its steps."""
    parent: State | None = None
    prior: float = 1.0
    visits: int = 0
    total: float = 0.0
    """The sum of the values backed up through it, each in [−1, 1]."""
    children: list[State] = field(default_factory=list)
    closed: bool = False
    """It ends the trace, or cannot be continued, or all its children are closed."""

    @property
    def q(self) -> float:
        return self.total / self.visits if self.visits else 0.0

    @property
    def prefix(self) -> str:
        return self.via.prefix(self.steps)

    @property
    def ends(self) -> bool:
        return self.steps == len(self.via.steps)

    def back_up(self, value: float) -> None:
        state: State | None = self
        while state is not None:
            state.visits += 1
            state.total += value
            state = state.parent

    def close(self) -> None:
        state: State | None = self
        while state is not None and all(below.closed for below in state.children):
            state.closed = True
            state = state.parent


@dataclass(frozen=True, slots=True)
class ValueTree:
    """Take it for values of steps, weighed by how likely the policy finds them. It needs a
    sampler that gives log-probabilities.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "siblings")

    simulations: int = 40
    """Simulations per problem, the root's included (the paper's N)."""
    children: int = 5
    """Rollouts from a state when it is expanded (the paper's B1)."""
    c_puct: float = 1.25
    """Select the child that maximises Q + c_puct · prior · sqrt(N(parent)) / (1 + N)."""
    prior: Literal["log-prob", "uniform"] = "log-prob"
    """The prior of a child; `uniform` is for samplers that cannot score a given text."""
    grow: bool = True
    """Write the branches that were searched as traces, beside those that came in."""

    def __post_init__(self) -> None:
        if self.simulations < 1 or self.children < 1 or self.c_puct < 0:
            raise UsageError(
                "value-tree: simulations and children must be at least 1, c_puct at least 0"
            )

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        drawn = [trace for trace in independent(group) if trace.steps]
        known = [trace for trace in drawn if rollouts.outcome_of(trace) is not None]
        failed: dict[str, str] = {}
        if not known:
            return list(group)
        root = State(known[0], 0)
        for _ in range(self.simulations):
            if root.closed:
                break
            leaf = self.select(root)
            try:
                await self._expand(leaf, known, rollouts)
            except (ItemError, GraderError) as error:
                failed[leaf.via.id] = str(error)
                leaf.close()
        return self._results(group, root, rollouts, failed)

    def select(self, root: State) -> State:
        state = root
        while state.children:
            around = math.sqrt(state.visits)

            def promise(below: State, around: float = around) -> float:
                return below.q + self.c_puct * below.prior * around / (1 + below.visits)

            state = max((below for below in state.children if not below.closed), key=promise)
        return state

    async def _expand(self, leaf: State, known: list[Trace], rollouts: Rollouts) -> None:
        """Sample, evaluate and back up; a child that ends the trace is worth its outcome."""
        ended: list[float] = []
        if leaf.parent is not None:
            outcomes = await rollouts.sample(leaf.via, leaf.steps, self.children)
            known += [trace for trace, _ in branches(leaf.via, leaf.steps, outcomes)]
            ended = [_worth(outcome.hit) for outcome in outcomes if not outcome.text.strip()]
        below = [t for t in known if _begins(t, leaf.prefix, leaf.steps)]
        first: dict[tuple[str, bool], State] = {}
        for trace in below:
            state = State(trace, leaf.steps + 1, leaf)
            first.setdefault((state.prefix, state.ends), state)
        children = list(first.values())
        for state, prior in zip(children, await self._priors(children, rollouts), strict=True):
            state.prior = prior
        leaf.children = children
        leaf.back_up(fmean([_worth(trace.correct) for trace in below] + ended))
        for state in children:
            if state.ends:
                state.back_up(_worth(state.via.correct))
                state.closed = True
        leaf.close()

    async def _priors(self, children: Sequence[State], rollouts: Rollouts) -> list[float]:
        if self.prior == "uniform":
            return [1 / len(children)] * len(children)
        try:
            scored = await together(
                *(rollouts.log_probs(state.via, state.steps - 1) for state in children)
            )
        except ItemError:
            raise
        except SamplerError as error:
            raise SamplerError(f"{error}; --set prior=uniform needs no scores") from None
        return [math.exp(fmean(logs)) if logs else 1.0 for logs in scored]

    def _results(
        self, group: Sequence[Trace], root: State, rollouts: Rollouts, failed: dict[str, str]
    ) -> list[Trace]:
        values = {s.prefix: (s.q + 1) / 2 for s in _below(root) if s.visits}
        expanded = Counter(s.via.id for s in _below(root) if s.children)
        branches = {s.via.id: s.via for s in _below(root) if s.visits}
        new = branches.keys() - {trace.id for trace in group} - failed.keys()
        made = [t.failed(failed[t.id]) if t.id in failed else t for t in group]
        made += [trace for name, trace in branches.items() if self.grow and name in new]
        return [t if t.error else self._valued(t, values, rollouts, expanded[t.id]) for t in made]

    def _valued(
        self, trace: Trace, values: dict[str, float], rollouts: Rollouts, rounds: int
    ) -> Trace:
        by_step = [values.get(trace.prefix(t)) for t in range(1, len(trace.steps) + 1)]
        if trace.correct is not None and by_step:
            by_step[-1] = float(trace.correct)
        return trace.with_evidence(
            Evidence(
                name="value-tree",
                kind="rollouts",
                values=tuple(by_step),
                stopping="fixed",
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        if trace.correct is None or not trace.steps:
            return Cost()
        rounds = math.ceil((self.simulations - 1) / max(trace.group.n if trace.group else 1, 1))
        left = tokens_left(trace, len(trace.steps) // 2)
        return Cost(rounds * self.children * left, rounds * self.children, rounds)


def _begins(trace: Trace, prefix: str, steps: int) -> bool:
    return len(trace.steps) > steps and trace.prefix(steps) == prefix


def _worth(hit: bool | None) -> float:
    return 1.0 if hit else -1.0


def _below(root: State) -> Iterator[State]:
    """Every state but the root, parents first."""
    waiting = list(root.children)
    while waiting:
        state = waiting.pop(0)
        yield state
        waiting += state.children
