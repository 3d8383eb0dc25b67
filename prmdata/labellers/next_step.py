"""Candidates for one next step after a shared prefix, each valued by rollouts (SLATE,
arXiv 2602.23440).

All that varies is one decision: k continuations are sampled from one prefix, and what they do
first are the candidates, beside what the trace itself does there. The paper has a judge score
them; here the value of a candidate is the mean outcome of rollouts that go on from it, the ones
that proposed it included. Every candidate becomes a trace with its parent in `origin.parent`; the
advantage of a step is its value less the mean over the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import GraderError, ItemError
from prmdata.labellers.contract import Need, Probe, Verb, probe, probed, tokens_left
from prmdata.labellers.omega import children
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, Whole, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class NextStep:
    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    candidates: Count = 5
    """Continuations of the prefix (the paper's k); those that begin alike are one candidate."""
    rollouts_per_candidate: Count = 8
    """Those that proposed it included."""
    after_step: Whole | None = None
    """How many steps the prefix has; none: all before the labels' first wrong step, and half of
    them where there are no labels."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> list[Trace]:
            try:
                return await self._valued(trace, rollouts)
            except (ItemError, GraderError) as error:
                return [trace.failed(str(error))]

        made = await together(*(one(trace) for trace in group))
        return [first for first, *_ in made] + [t for _, *others in made for t in others]

    async def _valued(self, trace: Trace, rollouts: Rollouts) -> list[Trace]:
        """The trace, and one for each other candidate."""
        kept = self._kept(trace)
        if kept is None:
            return [trace]
        outcomes = await rollouts.sample(trace, kept, self.candidates)
        by_step: dict[tuple[str, bool], list[Trace]] = {_first(trace, kept): []}
        for proposal, _ in children(trace, kept, outcomes):
            by_step.setdefault(_first(proposal, kept), []).append(proposal)
        own, *others = by_step.values()
        # a right trace of a right step is of more use than a wrong one
        chosen = [trace, *(max(same, key=lambda t: t.correct is True) for same in others)]
        seen = await together(
            *(
                self._probe(candidate, kept + 1, same, rollouts)
                for candidate, same in zip(chosen, [own, *others], strict=True)
            )
        )
        return [
            self._with(candidate, kept, found, rollouts, found.rounds + (candidate is trace))
            for candidate, found in zip(chosen, seen, strict=True)
        ]

    async def _probe(
        self, candidate: Trace, kept: int, proposed: Sequence[Trace], rollouts: Rollouts
    ) -> Probe:
        if kept == len(candidate.steps):  # it ends here: graded, not rolled out
            known = candidate.correct is not None
            return Probe(int(candidate.correct is True), int(known))
        more = max(self.rollouts_per_candidate - len(proposed), 0)
        seen = await probe(rollouts, candidate, kept, more) if more else Probe()
        hits = sum(trace.correct is True for trace in proposed)
        return Probe(hits + seen.hits, len(proposed) + seen.rollouts, seen.rounds)

    def _with(self, trace: Trace, kept: int, seen: Probe, rollouts: Rollouts, rounds: int) -> Trace:
        evidence = Evidence(
            name="next-step",
            kind="rollouts",
            **probed(trace, {kept + 1: seen}),
            stopping="fixed",
            settings={**settings_of(self), "after_step": kept},
            cost=rollouts.cost(trace, rounds),
        )
        return trace.with_evidence(evidence)

    def _kept(self, trace: Trace) -> int | None:
        steps = len(trace.steps)
        if self.after_step is not None:
            return self.after_step if self.after_step < steps else None
        labels = trace.labels
        if labels is not None:
            return labels.first_error
        return steps // 2 if steps else None

    def forecast(self, trace: Trace) -> Cost:
        kept = self._kept(trace)
        if kept is None:
            return Cost()
        each = (self.candidates + 1) * self.rollouts_per_candidate
        tokens = self.candidates * tokens_left(trace, kept)
        if kept + 1 < len(trace.steps):
            tokens += each * tokens_left(trace, kept + 1)
        return Cost(tokens, self.candidates + each, 2)


def _first(trace: Trace, kept: int) -> tuple[str, bool]:
    """The step after the prefix, and whether it ends the trace."""
    return trace.steps[kept].text, len(trace.steps) == kept + 1
