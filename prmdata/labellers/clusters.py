"""Rewards without a gold answer, from the answers of a problem's traces (SIOP).

A problem's answers form clusters of equals; a cluster's reliability q is its share. After every
step an answer is opened, and p̂_t is how likely an answer of the target is there, the mean over its
wordings of the geometric mean of their tokens' probabilities. The reward of a step is q times what
it adds to log p̂; with the trace's own cluster as target the last step also gets (1 − λ)·q.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar, Literal

from prmdata.errors import ItemError, UsageError
from prmdata.grading import canonical
from prmdata.labellers.contract import Need, Verb, each, independent
from prmdata.labellers.gain import read_at_every_step
from prmdata.labellers.openings.answers import by_step, gains, gold_of
from prmdata.labellers.openings.opening import Style
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together

Target = Literal["own", "majority", "all", "gold"]
FEWEST = 4
"""Answers below which shares say little."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Take it in place of `gain` where there is no gold answer: several traces a problem vote. What
    most of them believe is not always right.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores", "siblings")

    target: Target = "own"
    """`own`: the trace's own cluster; `majority`: the largest, whose likelihood is also written as
    the step's value; `all`: every cluster; `gold`: the gold answer, which makes it `gain`."""
    wordings: Count = 4
    """Most wordings of a cluster that are read."""
    outcome: float = 0.5
    """λ: the share of the reward that is for the way; the rest is for ending in its cluster. Read
    with target=own."""
    opening: Style = "auto"
    """How an answer is opened: `boxed`, `tags` (<answer>), `phrase`, or as the trace does it."""

    def __post_init__(self) -> None:
        if not 0 <= self.outcome <= 1:
            raise UsageError(f"--set outcome={self.outcome:g}: must lie between 0 and 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        found = clusters_of(independent(group), self.wordings)
        return await each(group, lambda trace: self.value(trace, found, rollouts))

    async def value(self, trace: Trace, found: Mapping[str, Cluster], rollouts: Rollouts) -> Trace:
        targets = self._targets(trace, found)
        columns = await together(
            *(by_step(rollouts, trace, target.wordings, self.opening) for target in targets)
        )
        p = [[None if ps is None else fmean(ps) for ps in column] for column in columns]
        weighed = [
            tuple(None if g is None else target.share * g for g in gains(ps))
            for target, ps in zip(targets, p, strict=True)
        ]
        rewards = [_sum(column) for column in zip(*weighed, strict=True)]
        rewards = rewards or [0.0] * len(trace.steps)
        if self.target == "own" and targets:
            rewards[-1] = (rewards[-1] or 0.0) + (1 - self.outcome) * targets[0].share
        believed = self.target in ("majority", "gold") and bool(p)
        return trace.with_evidence(
            Evidence(
                name="clusters",
                kind="scores",
                values=tuple(p[0][1:]) if believed else (),
                rewards=tuple(rewards),
                settings={**settings_of(self), "answers": sum(c.count for c in found.values())},
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def _targets(self, trace: Trace, found: Mapping[str, Cluster]) -> list[Cluster]:
        """None for a trace without an answer: it is in no cluster, not in one of its own."""
        if self.target == "gold":
            return [Cluster(1, 1.0, gold_of(trace))]
        if not found:
            raise ItemError(
                f"trace {trace.id}: no trace of its problem has an answer, so there are no clusters"
            )
        if self.target == "all":
            return list(found.values())
        if self.target == "majority":
            return [max(found.values(), key=lambda cluster: cluster.share)]
        own = found.get(canonical(trace.answer)) if trace.answer is not None else None
        return [own] if own else []

    def forecast(self, trace: Trace) -> Cost:
        return read_at_every_step(trace)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answers that are equal, of some of a problem's traces."""

    count: int
    share: float
    """Of the traces that have an answer."""
    wordings: tuple[str, ...]


def clusters_of(traces: Sequence[Trace], wordings: int) -> dict[str, Cluster]:
    """By canonical answer, the first-named first; ties therefore go to the earlier trace."""
    answers = [trace.answer for trace in traces if trace.answer is not None]
    counts = Counter(canonical(answer) for answer in answers)
    spelled: dict[str, dict[str, None]] = {}
    for answer in answers:
        spelled.setdefault(canonical(answer), {})[answer.strip()] = None
    return {
        name: Cluster(count, count / len(answers), tuple(spelled[name])[:wordings])
        for name, count in counts.items()
    }


def _sum(column: Sequence[float | None]) -> float | None:
    known = [reward for reward in column if reward is not None]
    return sum(known) if known else None
