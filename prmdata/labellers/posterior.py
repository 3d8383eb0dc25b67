"""Bayesian search for the first error: buy the rollout that tells most about it per token.

A belief over the place of the first error starts from what is already paid for (how the problem's
other traces ended and where they part from this one; verdicts) and is sharpened by rollouts, each
from the prefix where a token is expected to tell most. The search ends when it is sure, or when no
rollout is worth its price. To save round trips, each round requests the rollouts that the search
would pick next if every outcome were the likeliest one. The model is `belief/chain.py`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from prmdata.errors import GraderError, ItemError, UsageError
from prmdata.grading import canonical
from prmdata.labellers.belief.fitting import learn
from prmdata.labellers.belief.model import Belief, Outlook
from prmdata.labellers.belief.observations import Observations, Rollout, Source
from prmdata.labellers.belief.policy import Policy, read_policy
from prmdata.labellers.belief.signals import signals_of
from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    each,
    independent,
    probed,
    steps_repeated,
    taken_at_its_word,
    tokens_left,
)
from prmdata.records import Cost, Evidence, Labels, Round, Trace
from prmdata.sampler.models.fingerprint import other_weights
from prmdata.sampler.rollouts import Outcome, Rollouts
from prmdata.settings import Amount, Count, Whole, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Found:
    """What a search ended with."""

    first_f: np.ndarray
    """P(f) for every step, and last: no step is wrong."""
    probes: dict[int, Probe]
    search: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class Posterior:
    """Take it for first errors where tokens count, most of all where a problem has many traces.
    `prmdata fit` on a pilot measures what it believes of a policy.
    """

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "siblings")

    bits_per_1000_tokens: Amount | None = None
    """The price of a rollout: one that is expected to tell less of the first error per 1,000 tokens
    is not bought. Default: the price that `prmdata fit` found for a token budget, else .06 bits for
    as many tokens as the problem's traces take."""
    sure_at: float = 0.98
    """How sure of where the policy is lost the search of a trace must be to end."""
    most_rollouts: Whole = 96
    """Most rollouts bought for one trace."""
    most_per_prefix: Count = 24
    """Most of them from one prefix: what more would tell is little, however cheap it is."""
    rollouts_per_round: Count | None = None
    """Rollouts requested at once. More end the search in fewer rounds, for more tokens. Default:
    two, and one more for every eight already bought."""
    call_tokens: Whole = 40
    """What a rollout costs beside its generated tokens, in tokens: its prompt, its place in
    line."""
    siblings: bool = True
    """Read the problem's other traces as rollouts that are already paid for."""
    repetition: bool = True
    """Read steps of the trace that a rollout writes again, word for word, as evidence."""
    examine: str = "wrong"
    """`wrong`: take traces that end right at their word. `all`: search them too."""
    error: str = "first"
    """`first`: the label names the first wrong step. `fatal`: the last one that the trace does not
    put right again; steps that were wrong before it count as right. For thinking that corrects
    itself."""
    pilot: Whole = 60
    """Wrong traces to search first: what their rollouts show of the policy is believed of all. Of a
    file, problems are drawn by the run's seed; of a pipe, they are the first. Fewer than 30 in all
    are too few to learn from. 0: believe the vague defaults."""
    policy: str | None = None
    """What `prmdata fit` measured of the policy: a file. It takes the place of the pilot."""

    def __post_init__(self) -> None:
        if self.examine not in ("wrong", "all"):
            raise UsageError(f"--set examine={self.examine}: choose wrong or all")
        if self.error not in ("first", "fatal"):
            raise UsageError(f"--set error={self.error}: choose first or fatal")
        if not 0 < self.sure_at < 1:
            raise UsageError(f"--set sure_at={self.sure_at:g}: must lie between 0 and 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await self.label(group, rollouts, read_policy(self.policy))

    async def learned(
        self,
        problems: Sequence[Sequence[Trace]],
        rollouts: Callable[[], Rollouts],
        report: Callable[[str], None],
    ) -> Informed:
        """This method, with what the search of a pilot shows of the policy."""
        searches = (self.observed(group, rollouts(), Policy()) for group in problems)
        seen = await together(*searches)
        return Informed(self, await asyncio.to_thread(learn, seen, report))

    async def label(
        self, group: Sequence[Trace], rollouts: Rollouts, policy: Policy
    ) -> list[Trace]:
        price = self._price(policy, group)

        async def labelled(trace: Trace) -> Trace:
            if trace.correct is None or not trace.steps:
                return trace
            if trace.correct and (self.examine == "wrong" or self.error == "fatal"):
                return taken_at_its_word(trace, self, "posterior")
            belief = self._belief(trace, group, rollouts, policy)
            found = await self._search(trace, belief, rollouts, price)
            cost = rollouts.cost(trace, len(found.search)) + cost_of_signals(trace, policy)
            return self._decided(trace, found, cost)

        return await each(group, labelled)

    async def observed(
        self, group: Sequence[Trace], rollouts: Rollouts, policy: Policy
    ) -> list[Observations]:
        """What the search of each wrong trace saw: what a policy is learned from."""
        price = self._price(policy, group)

        async def search(trace: Trace) -> Observations | None:
            belief = self._belief(trace, group, rollouts, policy)
            try:
                await self._search(trace, belief, rollouts, price)
            except (ItemError, GraderError):
                return None
            return belief.seen

        wrong = [t for t in group if t.correct is False and t.steps and t.error is None]
        found = await together(*map(search, wrong))
        return [seen for seen in found if seen is not None]

    def _belief(
        self, trace: Trace, group: Sequence[Trace], rollouts: Rollouts, policy: Policy
    ) -> Belief:
        fingerprint = rollouts.sampler.fingerprint
        siblings = group if self.siblings else []
        seen = already_seen(trace, siblings, fingerprint, repetition=self.repetition)
        fatal = self.error == "fatal"
        return Belief(policy.priors, seen, policy.weights, policy.curves, fatal=fatal)

    def _price(self, policy: Policy, group: Sequence[Trace]) -> float:
        """Bits for one token."""
        price = self.bits_per_1000_tokens
        if price is None:
            price = policy.bits_per_1000_tokens
        if price is not None:
            return price / 1000
        length = sum(tokens_left(trace, 0) for trace in group) / len(group)
        return 0.06 / max(length, 1)

    async def _search(
        self, trace: Trace, belief: Belief, rollouts: Rollouts, price: float
    ) -> Found:
        cost = np.array([tokens_left(trace, t) + self.call_tokens for t in range(belief.steps)])
        probes: dict[int, Probe] = {}
        search: list[Round] = []
        asked = np.zeros(belief.steps, int)
        spent = 0
        while True:
            first, starts = self._next(belief, cost, price, self._round_size(spent), asked)
            if not starts:
                return Found(first, probes, tuple(search))
            counts = Counter(starts)
            np.add.at(asked, starts, 1)
            drawn = await together(*(rollouts.sample(trace, t, n) for t, n in counts.items()))
            bought = [
                self._rollout(trace, start, outcome)
                for start, outcomes in zip(counts, drawn, strict=True)
                for outcome in outcomes
            ]
            for rollout in bought:
                belief.seen.add(rollout)
                left = probes.setdefault(rollout.left, Probe())
                left.rollouts += 1
                left.hits += rollout.hit
            search.append(_round(first, bought))
            spent += len(starts)

    def _rollout(self, trace: Trace, start: int, outcome: Outcome) -> Rollout:
        rollout = rollout_of(trace, start, outcome.text, outcome.answer, hit=outcome.hit)
        return rollout if self.repetition else replace(rollout, repeated=0)

    def _round_size(self, spent: int) -> int:
        """Rollouts that the next round may buy."""
        return min(self.rollouts_per_round or 2 + spent // 8, self.most_rollouts - spent)

    def _next(
        self, belief: Belief, cost: np.ndarray, price: float, most: int, asked: np.ndarray
    ) -> tuple[np.ndarray, list[int]]:
        """P(f), and the prefixes to continue now: none where the search is at its end."""
        outlook = belief.outlook()
        first, starts, asked = outlook.first_f, list[int](), asked.copy()
        while len(starts) < most and outlook.sure < self.sure_at:
            best = _best(outlook, np.where(asked < self.most_per_prefix, cost, np.inf))
            if best is None or outlook.gain_t[best] / cost[best] < price:
                break
            starts.append(best)
            asked[best] += 1
            if len(starts) < most:
                belief = belief.copy()
                belief.seen.add(outlook.likeliest(best))
                outlook = belief.outlook()
        return first, starts

    def _decided(self, trace: Trace, found: Found, cost: Cost) -> Trace:
        T, first_f, probes = len(trace.steps), found.first_f, found.probes
        first = int(first_f.argmax())
        if trace.correct is False and first_f[T] <= 0.5:  # no step: only where that is likelier
            first = int(first_f[:T].argmax())
        evidence = Evidence(
            name="posterior",
            kind="rollouts",
            **probed(trace, {t: probe for t, probe in probes.items() if 0 < t < T}),
            stopping="adaptive",
            settings=settings_of(self),
            cost=cost,
            search=found.search,
        )
        labels = Labels(
            by="posterior",
            first_error=first if first < T else None,
            values=tuple(float(v) for v in np.clip(1 - first_f.cumsum()[:T], 0, 1).round(6)),
            confidence=round(float(first_f[first]), 6),
            settings=settings_of(self),
            cost=cost,
        )
        return replace(trace.with_evidence(evidence), labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        if len(trace.steps) < 2 or trace.correct is None:
            return Cost()
        if trace.correct and self.examine == "wrong":
            return Cost()
        rollouts = min(self.most_rollouts, 8)
        each_round = self.rollouts_per_round or 3
        tokens = rollouts * tokens_left(trace, len(trace.steps) // 2)
        return Cost(tokens, rollouts, -(-rollouts // each_round))


@dataclass(frozen=True, slots=True)
class Informed:
    """`posterior` with what was learned of the policy before the run."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = Posterior.needs

    method: Posterior
    policy: Policy

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await self.method.label(group, rollouts, self.policy)

    def forecast(self, trace: Trace) -> Cost:
        return self.method.forecast(trace)


def _round(first_f: np.ndarray, bought: Sequence[Rollout]) -> Round:
    ends = ("h" if rollout.hit else "s" if rollout.same else "m" for rollout in bought)
    return Round(
        belief=tuple(round(1000 * float(share)) for share in first_f),
        starts=tuple(rollout.start for rollout in bought),
        left=tuple(rollout.left for rollout in bought),
        ends="".join(ends),
    )


def _best(outlook: Outlook, cost: np.ndarray) -> int | None:
    worth = outlook.gain_t / cost
    worth[0] = 0.0  # the problem alone: its other traces have shown that
    return int(worth.argmax()) if worth.max() > 0 else None


def already_seen(
    trace: Trace, group: Sequence[Trace], fingerprint: str, *, repetition: bool = True
) -> Observations:
    """What is known of a trace before any rollout is bought: verdicts, and its siblings.

    Siblings count as rollouts from where they part from this one, if the sampler wrote them; of
    those that are not at hand, the tally. A branch has no siblings: one of them gave it its first
    steps.
    """
    model = trace.origin.model
    own = model is not None and not other_weights(model, fingerprint)
    signals = tuple(signal for signal, _ in signals_of(trace))
    seen = Observations(len(trace.steps), trace.correct is True, own, sources_of(trace), signals)
    if trace.origin.parent is not None or not group or not own:
        return seen
    siblings = [
        rollout_of(trace, 0, other.text, other.answer, hit=other.correct)
        for other in independent(group)
        if other.id != trace.id and other.correct is not None
    ]
    seen.add_all(s if repetition else replace(s, repeated=0) for s in siblings)
    if tally := trace.group:
        answer = None if trace.answer is None else canonical(trace.answer)
        right = tally.right - (trace.correct is True) - sum(s.hit for s in siblings)
        same = tally.wrong_answers.get(answer, 0) - 1 if answer is not None else 0
        same -= sum(s.same for s in siblings)
        wrong = tally.wrong - (trace.correct is False) - sum(not s.hit for s in siblings)
        same = max(same, 0)
        seen.add_tally(max(right, 0), same, max(wrong - same, 0))
    return seen


def cost_of_signals(trace: Trace, policy: Policy) -> Cost:
    """What was paid for the signals that were read."""
    read = {curve.name for curve in policy.curves}
    paid = (evidence.cost for signal, evidence in signals_of(trace) if signal.name in read)
    return sum(paid, Cost())


def sources_of(trace: Trace) -> tuple[Source, ...]:
    """Verifiers' and judges' verdicts; those that are the same, word for word, count once."""
    sources: dict[tuple[str | None, ...], Source] = {}
    for evidence in trace.evidence:
        if evidence.kind == "verdicts" and len(evidence.verdicts) == len(trace.steps):
            tool = evidence.checked_by == "tool"
            source = Source(evidence.name, evidence.verdicts, tool)
            sources.setdefault(evidence.verdicts, source)
    return tuple(sources.values())


def rollout_of(trace: Trace, start: int, text: str, answer: str | None, *, hit: bool) -> Rollout:
    comparable = not hit and trace.answer is not None and answer is not None
    return Rollout(
        start=start,
        repeated=steps_repeated(trace, start, text),
        hit=hit,
        same=comparable and canonical(answer or "") == canonical(trace.answer or ""),
    )
