"""What each step adds to the probability of the gold answer (TRACE, arXiv 2607.13988; IGPO).

After every step an answer is opened ("The answer is …") and the gold answer is read there, without
generating anything: p_t is the geometric mean of its tokens' probabilities, and the reward of step
t is log p_t − log p_{t−1}. The rewards of a trace sum to log p_T − log p_0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev
from typing import ClassVar, Literal

from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.answers import by_step, gains, gold_of
from prmdata.labellers.openings.opening import Style
from prmdata.records import Cost, Evidence, Trace, content_of
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Gain:
    """Take it for dense rewards at the price of reading: one reading a step, nothing generated. It
    tells how near the answer is, so it is weak where a step is right and the answer still far.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores", "siblings")

    form: Literal["log", "difference"] = "log"
    """`log`: log p_t − log p_{t−1}; `difference`: p_t − p_{t−1}."""
    several: Literal["best", "mean"] = "best"
    """Which of several gold answers counts: the likeliest, or their mean."""
    opening: Style = "auto"
    """How an answer is opened: `boxed`, `tags` (<answer>), `phrase`, or as the trace does it."""
    normalise: Literal["none", "turn"] = "none"
    """`turn`: less the mean of the problem's traces at the same step, over their deviation; a step
    that no other trace has gets 0."""
    accumulate: bool = False
    """Sum the rewards from each step to the end, over the root of their number (A²TGPO)."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        made = await each(group, lambda trace: self.value(trace, rollouts))
        if self.normalise == "turn":
            made = _by_turn(made)
        return [_accumulated(trace) for trace in made] if self.accumulate else made

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        golds = gold_of(trace)
        rule = max if self.several == "best" else fmean
        found = await by_step(rollouts, trace, golds, self.opening)
        p = [None if ps is None else float(rule(ps)) for ps in found]
        return trace.with_evidence(
            Evidence(
                name="gain",
                kind="scores",
                values=tuple(p[1:]),
                rewards=gains(p, self.form),
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def forecast(self, trace: Trace) -> Cost:
        return read_at_every_step(trace)


def read_at_every_step(trace: Trace) -> Cost:
    """About what it takes to read each prefix of a trace with its prompt."""
    asked = trace.problem.question if not trace.origin.messages else ""
    asked += "".join(content_of(message) for message in trace.origin.messages)
    lengths = (len(asked) + len(trace.prefix(t)) for t in range(len(trace.steps) + 1))
    return Cost(scored=sum(lengths) // 4, rounds=1)


def _by_turn(group: Sequence[Trace]) -> list[Trace]:
    rows = {t.id: e.rewards for t in group if (e := t.evidence_named("gain")) is not None}
    columns: dict[int, list[float]] = {}
    for row in rows.values():
        for turn, reward in enumerate(row):
            if reward is not None:
                columns.setdefault(turn, []).append(reward)

    def z(turn: int, reward: float | None) -> float | None:
        if reward is None:
            return None
        column = columns[turn]
        return (reward - fmean(column)) / (pstdev(column) + 1e-8) if len(column) > 1 else 0.0

    return [
        _with_rewards(trace, tuple(z(i, r) for i, r in enumerate(rows[trace.id])))
        if trace.id in rows
        else trace
        for trace in group
    ]


def _accumulated(trace: Trace) -> Trace:
    evidence = trace.evidence_named("gain")
    if evidence is None:
        return trace
    known = [0.0 if reward is None else reward for reward in evidence.rewards]
    return _with_rewards(
        trace, tuple(sum(known[t:]) / math.sqrt(len(known) - t) for t in range(len(known)))
    )


def _with_rewards(trace: Trace, rewards: tuple[float | None, ...]) -> Trace:
    evidence = trace.evidence_named("gain")
    assert evidence is not None
    return trace.with_evidence(replace(evidence, rewards=rewards))
