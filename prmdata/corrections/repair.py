"""Cuts a wrong trace at its first wrong step and writes on from there, until the answer is right
(SCOPE; Search-R2's cut and regenerate).

What ends right, and does something else at that step, becomes a trace of its own. How often the
answer comes out right from before the wrong step, and from after it, is written beside: where the
first is no better than the second, the label is in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import ClassVar, Literal

from prmdata.corrections.tried import Tried, after, corrected, counted, evidence, first_errors
from prmdata.errors import GraderError, ItemError, SamplerError
from prmdata.labellers.contract import Need, Verb, tokens_left
from prmdata.labellers.tree.branches import branches
from prmdata.records import Cost, Trace
from prmdata.sampler.rollouts import Outcome, Rollouts
from prmdata.settings import Count, Share, Whole, settings_of
from prmdata.tasks import together

NAME = "repair"
Branched = tuple[Trace, Outcome]


@dataclass(frozen=True, slots=True)
class Repair:
    """Take it for traces to imitate that stay as near to the policy's own as can be, for pairs of a
    wrong step and its repair, and to find labels in doubt."""

    verb: ClassVar[Verb] = "repair"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    attempts: Count = 8
    """Continuations from before the wrong step."""
    before: Whole = 8
    """Continuations from after it, for comparison; 0: none."""
    back: Whole = 2
    """Where no attempt ends right, so many times the trace is cut one step earlier."""
    keep: Count = 1
    """Repaired traces to keep of each wrong one."""
    prefer: Literal["likely", "first"] = "likely"
    """Of several, those whose new step the policy finds likeliest, by its mean log-probability; or
    those sampled first."""
    mode: Literal["rest", "step"] = "rest"
    """With a teacher: it writes all the rest, or the new step alone and the policy goes on (SCOPE),
    which keeps the trace near to what the policy writes."""
    confidence: Share = 0.0
    """Labels that say less of their confidence are not repaired."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        wrong = first_errors(group, self.confidence)
        teacher = rollouts
        if rollouts.reference is not None:
            teacher = Rollouts(rollouts.reference, rollouts.grader, rollouts.settings)

        async def one(trace: Trace) -> list[Trace]:
            if trace.id not in wrong:
                return [trace]
            try:
                return await self._repaired(trace, wrong[trace.id], rollouts, teacher)
            except (ItemError, GraderError) as error:
                return [trace.failed(str(error))]

        made = await together(*(one(trace) for trace in group))
        return [first for first, *_ in made] + [trace for _, *new in made for trace in new]

    async def _repaired(
        self, trace: Trace, error: int, rollouts: Rollouts, teacher: Rollouts
    ) -> list[Trace]:
        """The trace with its evidence, and its repairs."""
        worse = await after(rollouts, trace, error + 1, self.before)
        better, cut, right = Tried(), error, list[Branched]()
        for cut in range(error, max(error - self.back, 0) - 1, -1):
            tried, found = await self._attempts(trace, cut, rollouts, teacher)
            better = tried if cut == error else better
            right = [b for b in found if b[1].hit and _differs(b[0], trace, cut)]
            if right:
                break
        chosen = await self._chosen([branch for branch, _ in right], cut, rollouts)
        settings = {
            **settings_of(self),
            "first_error": error,
            "cut": cut if right else None,
            "right_before": [better.hits, better.rollouts],
            "right_after": [worse.hits, worse.rollouts],
        }
        rounds = 1 + error - cut + (teacher is not rollouts and self.mode == "step")
        cost = rollouts.cost(trace, rounds)
        if teacher is not rollouts:
            cost += teacher.cost(trace, 0)
        probes = {error + 1: worse}
        if teacher is rollouts:  # a teacher's rate says nothing of what the policy would do
            probes[error] = better
        own = trace.with_evidence(evidence(NAME, trace, probes, settings, cost))
        writer = {"writer": teacher.sampler.fingerprint, "mode": self.mode}
        return [own, *(corrected(branch, NAME, writer) for branch in chosen)]

    async def _attempts(
        self, trace: Trace, cut: int, rollouts: Rollouts, teacher: Rollouts
    ) -> tuple[Tried, list[Branched]]:
        outcomes = await teacher.sample(trace, cut, self.attempts)
        written = list(branches(trace, cut, outcomes))
        if teacher is rollouts or self.mode == "rest":
            return counted(outcomes), written
        alike: dict[tuple[str, bool], list[Branched]] = {}
        for branch, outcome in written:
            ends = len(branch.steps) == cut + 1
            alike.setdefault((branch.steps[cut].text, ends), []).append((branch, outcome))
        found = await together(*(_continued(same, cut, rollouts) for same in alike.values()))
        went_on = [way for ways in found for way in ways]
        return counted([outcome for _, outcome in went_on]), went_on

    async def _chosen(self, right: list[Trace], cut: int, rollouts: Rollouts) -> list[Trace]:
        """One of those that begin alike, the likeliest first where that is asked for."""
        distinct = list({branch.steps[cut].text.strip(): branch for branch in right[::-1]}.values())
        distinct.reverse()
        if self.prefer == "first" or len(distinct) <= self.keep:
            return distinct[: self.keep]
        try:
            found = [fmean(await rollouts.log_probs(branch, cut)) for branch in distinct]
        except SamplerError:  # a server that gives no probabilities
            return distinct[: self.keep]
        order = sorted(range(len(distinct)), key=lambda place: -found[place])
        return [distinct[place] for place in order[: self.keep]]

    def forecast(self, trace: Trace) -> Cost:
        error = first_errors([trace], self.confidence).get(trace.id)
        if error is None:
            return Cost()
        more = self.before if error + 1 < len(trace.steps) else 0
        tokens = self.attempts * tokens_left(trace, error)
        if more:
            tokens += more * tokens_left(trace, error + 1)
        return Cost(tokens, self.attempts + more, 2)


async def _continued(same: list[Branched], cut: int, rollouts: Rollouts) -> list[Branched]:
    """The policy's own ways from one step of the teacher's to the end, as many as it wrote."""
    branch, _ = same[0]
    if len(branch.steps) == cut + 1:  # it ends here
        return same
    outcomes = await rollouts.sample(branch, cut + 1, len(same))
    ways = branches(branch, cut + 1, outcomes)
    parent = branch.origin.parent
    return [(replace(w, origin=replace(w.origin, parent=parent)), outcome) for w, outcome in ways]


def _differs(branch: Trace, trace: Trace, cut: int) -> bool:
    return branch.steps[cut].text.strip() != trace.steps[cut].text.strip()
