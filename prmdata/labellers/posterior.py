"""Bayesian search for the first error: buy the rollout that tells most about it per token.

A belief over the place of the first error starts from what is already paid for (how the problem's
other traces ended, and where they part from this one; verifiers' verdicts) and is sharpened by
rollouts, each from the prefix where a token is expected to tell most. The search ends when it is
sure, or when no rollout is worth its price. So that it does not wait for every single one, a
round buys the rollouts that would be next if each came out as is likeliest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from prmdata.errors import UsageError
from prmdata.grading import canonical
from prmdata.labellers.belief.model import Belief, Known, Seen
from prmdata.labellers.belief.prior import World, read_world
from prmdata.labellers.contract import (
    Need,
    Probe,
    Verb,
    detections,
    each,
    independent,
    probed,
    steps_repeated,
    taken_at_its_word,
    tokens_left,
)
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Amount, Count, Whole, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Posterior:
    """Take it for first errors where tokens count, most of all where a problem has many traces.
    `prmdata fit` on a pilot measures what it believes of a policy.
    """

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "siblings")

    bits_per_1000_tokens: Amount | None = None
    """The price: a rollout that is expected to tell less of the first error is not bought. None:
    what `prmdata fit` found for a token budget; else .06 bits for as many tokens as the problem's
    traces take."""
    sure_at: float = 0.98
    """The search ends at this confidence."""
    most_rollouts: Whole = 96
    """Of one trace."""
    rollouts_per_round: Count | None = None
    """More end the search in fewer rounds, for more tokens. None: two, and one more for every
    eight that were bought."""
    call_tokens: Whole = 40
    """What a rollout costs beside its tokens, as tokens: its prompt and its place in the queue."""
    siblings: bool = True
    """Read the problem's other traces as rollouts that are already paid for."""
    examine: str = "wrong"
    """`wrong`: traces that end right are taken at their word; `all`: they are searched too."""
    world: str | None = None
    """What `prmdata fit` measured: a file; none: middling beliefs that hold for any policy."""

    def __post_init__(self) -> None:
        if self.examine not in ("wrong", "all"):
            raise UsageError(f"examine={self.examine}: write wrong or all")
        if not 0 < self.sure_at < 1:
            raise UsageError(f"sure_at={self.sure_at:g}: must lie between 0 and 1")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await self.label(group, rollouts, read_world(self.world))

    async def label(self, group: Sequence[Trace], rollouts: Rollouts, world: World) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            if trace.correct is None or not trace.steps:
                return trace
            if trace.correct and self.examine == "wrong":
                return taken_at_its_word(trace, self, "posterior")
            free = already_paid(trace, group) if self.siblings else []
            belief = Belief(world, known_of(trace, free))
            belief.see_all(free)
            return await self._search(trace, belief, rollouts, price)

        price = self._price(world, group)
        return await each(group, one)

    def _price(self, world: World, group: Sequence[Trace]) -> float:
        """Bits for one token."""
        fitted = world.bits_per_1000_tokens
        asked = fitted if self.bits_per_1000_tokens is None else self.bits_per_1000_tokens
        if asked is not None:
            return asked / 1000
        length = sum(tokens_left(trace, 0) for trace in group) / len(group)
        return 0.06 / max(length, 1)

    async def _search(
        self, trace: Trace, belief: Belief, rollouts: Rollouts, price: float
    ) -> Trace:
        cost = np.array([tokens_left(trace, t) + self.call_tokens for t in range(belief.steps)])
        probes: dict[int, Probe] = {}
        rounds = spent = 0
        while True:
            place, asked = self._next(belief, cost, price, self._together(spent))
            if not asked:
                return self._decided(trace, place, probes, rollouts.cost(trace, rounds))
            counts = Counter(asked)
            drawn = await together(*(rollouts.sample(trace, t, n) for t, n in counts.items()))
            for start, outcomes in zip(counts, drawn, strict=True):
                for outcome in outcomes:
                    seen = seen_of(trace, start, outcome.text, outcome.answer, hit=outcome.hit)
                    belief.see(seen)
                    left = probes.setdefault(seen.start + seen.kept, Probe())
                    left.rollouts += 1
                    left.hits += outcome.hit
            spent += len(asked)
            rounds += 1

    def _together(self, spent: int) -> int:
        """How many rollouts the next round may buy."""
        return min(self.rollouts_per_round or 2 + spent // 8, self.most_rollouts - spent)

    def _next(
        self, belief: Belief, cost: np.ndarray, price: float, most: int
    ) -> tuple[np.ndarray, list[int]]:
        """P(f), and the prefixes to continue now, none where the search is at its end."""
        outlook = belief.outlook()
        place, asked = outlook.place, list[int]()
        while len(asked) < most and outlook.place.max() < self.sure_at:
            worth = outlook.gain / cost
            worth[0] = 0.0  # the problem alone: its other traces have told that
            best = int(worth.argmax())
            if worth[best] < price:
                break
            asked.append(best)
            if len(asked) < most:
                belief = belief.copy()
                belief.see(outlook.likeliest(best))
                outlook = belief.outlook()
        return place, asked

    def _decided(
        self, trace: Trace, place: np.ndarray, probes: dict[int, Probe], cost: Cost
    ) -> Trace:
        T = len(trace.steps)
        first = int(place.argmax())
        evidence = Evidence(
            name="posterior",
            kind="rollouts",
            **probed(trace, {t: seen for t, seen in probes.items() if 0 < t < T}),
            stopping="adaptive",
            settings=settings_of(self),
            cost=cost,
        )
        labels = Labels(
            by="posterior",
            first_error=first if first < T else None,
            values=tuple(float(v) for v in np.clip(1 - place.cumsum()[:T], 0, 1).round(6)),
            confidence=round(float(place[first]), 6),
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


def already_paid(trace: Trace, group: Sequence[Trace]) -> list[Seen]:
    """The problem's other traces, as rollouts from where they part from this one.

    None for a branch: one of them gave it its first steps.
    """
    if trace.origin.parent is not None:
        return []
    return [
        seen_of(trace, 0, other.text, other.answer, hit=other.correct)
        for other in independent(group)
        if other.id != trace.id and other.correct is not None
    ]


def known_of(trace: Trace, free: Sequence[Seen]) -> Known:
    """What the tally of the problem's traces and the verifiers say, beside what `free` tells."""
    tally = trace.group
    said = None if trace.answer is None else canonical(trace.answer)
    itself = trace.origin.parent is None  # a branch is not in the tally
    right = (tally.right if tally else 0) - (itself and trace.correct is True)
    wrong = (tally.wrong if tally else 0) - (itself and trace.correct is False)
    same = (tally.wrong_answers.get(said, 0) if tally and said is not None else 0) - itself
    return Known(
        steps=len(trace.steps),
        ends_right=trace.correct is True,
        right=max(right - sum(seen.hit for seen in free), 0),
        wrong=max(wrong - sum(not seen.hit for seen in free), 0),
        same=max(same - sum(seen.same for seen in free), 0),
        detections=tuple(detections(trace)),
    )


def seen_of(trace: Trace, start: int, text: str, answer: str | None, *, hit: bool) -> Seen:
    same = not hit and trace.answer is not None and answer is not None
    return Seen(
        start=start,
        kept=steps_repeated(trace, start, text),
        hit=hit,
        same=same and canonical(answer or "") == canonical(trace.answer or ""),
    )
