"""Candidates for one next step after a shared prefix, each valued by rollouts (SLATE,
arXiv 2602.23440).

All that varies is one decision: k continuations are sampled from one prefix, and what they do
first are the candidates, beside what the trace itself does there. The value of a candidate is the
mean outcome of rollouts that go on from it, the ones that proposed it included; its advantage, the
value less the mean over the candidates, is written as its reward. Or, as in the paper, a judge
scores them: with `by=judge` no more rollouts are bought, and `prmdata judge --with action` gives
the rewards. Every candidate becomes a trace with its parent in `origin.parent`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import ClassVar, Literal

from prmdata.errors import GraderError, ItemError
from prmdata.labellers.contract import Need, Probe, Verb, probe, probed, tokens_left
from prmdata.labellers.tree.branches import branches
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, Whole, settings_of
from prmdata.tasks import together

NAME = "next-step"


@dataclass(frozen=True, slots=True)
class Candidate:
    trace: Trace
    proposals: Sequence[Trace]
    """The rollouts of the prefix that begin with its step."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """Take it to compare what could be done next at one place, as for step-level preferences."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    candidates: Count = 5
    """Continuations of the prefix (the paper's k); those that begin alike are one candidate."""
    rollouts_per_candidate: Count = 8
    """Rollouts of each candidate, those that proposed it included."""
    by: Literal["rollouts", "judge"] = "rollouts"
    """What tells how good a candidate is; `judge`: only propose them, `prmdata judge` is next."""
    after_step: Whole | None = None
    """The number of steps in the prefix; none: all before the labels' first wrong step, or half of
    them where there are no labels."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> list[Trace]:
            try:
                return await self._valued(trace, rollouts)
            except (ItemError, GraderError) as error:
                return [trace.failed(str(error))]

        made = await together(*(one(trace) for trace in group))
        given = {trace.id for trace in group}
        new = [trace for _, *others in made for trace in others if trace.id not in given]
        return [first for first, *_ in made] + new

    async def _valued(self, trace: Trace, rollouts: Rollouts) -> list[Trace]:
        """The trace, and one for each other candidate."""
        at = self._decision(trace)
        if at is None:
            return [trace]
        outcomes = await rollouts.sample(trace, at, self.candidates)
        candidates = _candidates(trace, at, [t for t, _ in branches(trace, at, outcomes)])
        found = await together(*(self._probe(c, at, trace, rollouts) for c in candidates))
        values = [p.hits / p.rollouts if p.rollouts else None for p in found]
        mean = fmean([v for v in values if v is not None] or [0.0])
        if self.by == "judge":
            values = [None] * len(values)
        return [
            candidate.trace.with_evidence(
                Evidence(
                    name=NAME,
                    kind="rollouts",
                    **probed(candidate.trace, {at + 1: probes}),
                    stopping="fixed",
                    settings={**settings_of(self), "after_step": at},
                    cost=rollouts.cost(
                        _place(candidate, trace), probes.rounds + (candidate.trace is trace)
                    ),
                    rewards=_only(at, None if value is None else value - mean, candidate.trace),
                )
            )
            for candidate, probes, value in zip(candidates, found, values, strict=True)
        ]

    async def _probe(
        self, candidate: Candidate, at: int, trace: Trace, rollouts: Rollouts
    ) -> Probe:
        if at + 1 == len(candidate.trace.steps):  # it ends here: graded, not rolled out
            outcome = rollouts.outcome_of(candidate.trace)
            return Probe(int(outcome is True), int(outcome is not None))
        ended = [rollouts.outcome_of(proposal) for proposal in candidate.proposals]
        more = max(self.rollouts_per_candidate - len(ended), 0) if self.by == "rollouts" else 0
        found = Probe()
        if more:
            found = await probe(rollouts, _place(candidate, trace), at + 1, more)
        counted = len(ended) - ended.count(None)
        return Probe(ended.count(True) + found.hits, counted + found.rollouts, found.rounds)

    def _decision(self, trace: Trace) -> int | None:
        """How many steps come before the decision; `None`: there is none to look at."""
        steps = len(trace.steps)
        if _is_candidate(trace):
            return None
        if self.after_step is not None:
            return self.after_step if self.after_step < steps else None
        if trace.labels is not None:
            return trace.labels.first_error
        return steps // 2 if steps else None

    def forecast(self, trace: Trace) -> Cost:
        at = self._decision(trace)
        if at is None:
            return Cost()
        each = (self.candidates + 1) * self.rollouts_per_candidate if self.by == "rollouts" else 0
        tokens = self.candidates * tokens_left(trace, at)
        if at + 1 < len(trace.steps):
            tokens += each * tokens_left(trace, at + 1)
        return Cost(tokens, self.candidates + each, 2)


def _candidates(trace: Trace, at: int, proposals: Sequence[Trace]) -> list[Candidate]:
    """The trace itself first; of proposals that begin alike, one that ended right if any did."""
    by_step: dict[tuple[str, bool], list[Trace]] = {_step(trace, at): []}
    for proposal in proposals:
        by_step.setdefault(_step(proposal, at), []).append(proposal)
    own, *others = by_step.values()
    chosen = [Candidate(max(same, key=lambda t: t.correct is True), same) for same in others]
    return [Candidate(trace, own), *chosen]


def _step(trace: Trace, at: int) -> tuple[str, bool]:
    """The step after the prefix, and whether it ends the trace."""
    return trace.steps[at].text, len(trace.steps) == at + 1


def _place(candidate: Candidate, trace: Trace) -> Trace:
    """The candidate as this decision samples it: it may also be a trace of the group, which counts
    its own rollouts."""
    if candidate.trace is trace:
        return trace
    return replace(candidate.trace, id=f"{trace.id} {candidate.trace.id}")


def _is_candidate(trace: Trace) -> bool:
    """Whether an earlier run wrote this trace as a candidate: its decision is its parent's."""
    parent, earlier = trace.origin.parent, trace.evidence_named(NAME)
    if parent is None or earlier is None:
        return False
    return any(value is not None for value in earlier.values[parent[1] : parent[1] + 1])


def _only(at: int, value: float | None, trace: Trace) -> tuple[float | None, ...]:
    return tuple(value if step == at else None for step in range(len(trace.steps)))
