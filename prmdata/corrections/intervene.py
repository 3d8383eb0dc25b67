"""One step in the place of the first wrong one, kept where it raises the rate of right answers
(InT, arXiv 2601.14209).

The model is shown a reference solution and asked for the first wrong step and its replacement. It
is kept if it gives nothing away, and if going on from it ends right more often than going on from
the step that it replaces. What is trained on is the prefix with that one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from prmdata.corrections.proposals import Proposal, leak_in, proposal_in, question
from prmdata.corrections.tried import Tried, after, corrected, counted, evidence, first_errors
from prmdata.errors import GraderError, ItemError
from prmdata.labellers.contract import Need, Verb, tokens_left
from prmdata.labellers.tree.branches import branches
from prmdata.records import Cost, Step, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together

NAME = "intervene"


@dataclass(frozen=True, slots=True)
class Intervene:
    """Take it where problems have reference solutions: it asks for one step, not for a solution, so
    a model that cannot solve the problem by itself can often write it."""

    verb: ClassVar[Verb] = "intervene"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    attempts: Count = 8
    """Rollouts of each of the three: from the new step, from the step it replaces, and from before
    both."""
    proposals: Count = 1
    """Replies to ask for; the first that is fit is tried."""
    reply_tokens: Count = 1024
    """Longest reply."""
    reference: str = "solution"
    """The field of the problem's context that holds its reference solution."""
    labelled: bool = False
    """Only replacements of the step that the labels call the first wrong one."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        async def one(trace: Trace) -> list[Trace]:
            reference = trace.problem.context.get(self.reference)
            if trace.correct is not False or not trace.steps or not reference:
                return [trace]
            try:
                return await self._intervened(trace, str(reference), rollouts)
            except (ItemError, GraderError) as error:
                return [trace.failed(str(error))]

        made = await together(*(one(trace) for trace in group))
        return [first for first, *_ in made] + [trace for _, *new in made for trace in new]

    async def _intervened(self, trace: Trace, reference: str, rollouts: Rollouts) -> list[Trace]:
        asker = rollouts
        if rollouts.reference is not None:
            asker = Rollouts(rollouts.reference, rollouts.grader, rollouts.settings)
        messages = question(trace, reference)
        replies = await asker.replies(trace, messages, self.proposals, self.reply_tokens)
        fit, refused = self._fit(replies, trace, reference)
        told = {**settings_of(self), "refused": dict(refused), "step": fit.step if fit else None}
        if fit is None:
            cost = asker.cost(trace, 1)
            return [trace.with_evidence(evidence(NAME, trace, {}, told, cost))]
        return await self._tried(trace, fit, rollouts, asker, told)

    async def _tried(
        self,
        trace: Trace,
        fit: Proposal,
        rollouts: Rollouts,
        asker: Rollouts,
        told: dict[str, object],
    ) -> list[Trace]:
        place = _with_step(trace, fit)
        outcomes = await rollouts.sample(place, fit.step + 1, self.attempts)
        better = counted(outcomes)
        prefix = await after(rollouts, trace, fit.step, self.attempts)
        worse = await after(rollouts, trace, fit.step + 1, self.attempts)
        told |= {
            "replacement": fit.text,
            "right_with_it": [better.hits, better.rollouts],
            "right_without": [prefix.hits, prefix.rollouts],
            "right_after_wrong": [worse.hits, worse.rollouts],
            "kept": helps(better, worse),
        }
        cost = rollouts.cost(trace, 4) + rollouts.cost(place, 0)
        if asker is not rollouts:
            cost += asker.cost(trace, 0)
        probes = {fit.step: prefix, fit.step + 1: worse}
        own = trace.with_evidence(evidence(NAME, trace, probes, told, cost))
        ways = [
            branch for branch, outcome in branches(place, fit.step + 1, outcomes) if outcome.hit
        ]
        if not helps(better, worse) or not ways:
            return [own]
        return [own, _kept(ways[0], trace, fit.step)]

    def _fit(
        self, replies: Sequence[str], trace: Trace, reference: str
    ) -> tuple[Proposal | None, Counter[str]]:
        """The first that can be used, and why those before it cannot."""
        refused: Counter[str] = Counter()
        errors = first_errors([trace], 0.0)
        for reply in replies:
            proposal = proposal_in(reply, trace)
            if proposal is None:
                refused["not read"] += 1
            elif self.labelled and proposal.step != errors.get(trace.id):
                refused["another step than the labels name"] += 1
            elif proposal.text.strip() == trace.steps[proposal.step].text.strip():
                refused["the same step again"] += 1
            elif leak := leak_in(proposal, trace, reference):
                refused[leak] += 1
            else:
                return proposal, refused
        return None, refused

    def forecast(self, trace: Trace) -> Cost:
        if trace.correct is not False or not trace.problem.context.get(self.reference):
            return Cost()
        middle = tokens_left(trace, len(trace.steps) // 2)
        asked = self.proposals * 100
        return Cost(asked + 3 * self.attempts * middle, 3 * self.attempts, 4, calls=self.proposals)


def helps(better: Tried, worse: Tried) -> bool:
    """Whether right answers come of it, and more often than of the step that it replaces."""
    return better.hits > 0 and (better.rate or 0.0) > (worse.rate or 0.0)


def _with_step(trace: Trace, fit: Proposal) -> Trace:
    """The trace as if it had taken the new step: the rest stands for what is sampled."""
    steps = (*trace.steps[: fit.step], Step(fit.text), Step("…"))
    return replace(trace, id=f"{trace.id} {NAME}", steps=steps)


def _kept(way: Trace, trace: Trace, step: int) -> Trace:
    origin = replace(way.origin, parent=(trace.id, step))
    name = way.id.replace(f" {NAME}", f".{NAME}")
    return corrected(replace(way, id=name, origin=origin), NAME, {"step": step})
