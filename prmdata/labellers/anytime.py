"""Answers forced after every step (AnytimeReasoner, arXiv 2505.13438).

After each step an answer is opened, and a few short answers are sampled and graded. V_t is the
share of them that is right: whether the question can be answered now, which is not what `mc`
measures, whether it can still be solved from here. The reward of a step is V_t − V_{t−1}. It needs
no log-probabilities. The last step ends the trace, so the trace's own answer stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.labellers.contract import Need, Probe, Verb, each, probed
from prmdata.labellers.openings.answers import gains
from prmdata.labellers.openings.forced import forced
from prmdata.labellers.openings.opening import Style
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Amount, Count, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Anytime:
    """Take it on long thinking, where a rollout costs thousands of tokens and an answer tens. On
    short traces that work step by step it is blind until the last steps: nothing can be answered
    before.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler",)

    answers_per_step: Count = 4
    answer_tokens: Count = 24
    """Most tokens of a forced answer; one that has not ended by then is counted as unread."""
    temperature: Amount | None = None
    """Of the forced answers. Default: that of the trace."""
    opening: Style = "auto"
    """How an answer is opened: `boxed`, `tags` (<answer>), `phrase`, or as the trace does it."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        places = range(len(trace.steps))
        found = await together(*(self._probe(trace, t, rollouts) for t in places))
        probes = {t: probe for t, probe in zip(places, found, strict=True) if probe is not None}
        if trace.correct is not None:
            probes[len(trace.steps)] = Probe(int(trace.correct), 1)
        values = [
            probe.hits / probe.rollouts if (probe := probes.get(t)) and probe.rollouts else None
            for t in range(len(trace.steps) + 1)
        ]
        return trace.with_evidence(
            Evidence(
                name="anytime",
                kind="rollouts",
                **probed(trace, probes),
                rewards=gains(values, "difference"),
                stopping="fixed",
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    async def _probe(self, trace: Trace, after_step: int, rollouts: Rollouts) -> Probe | None:
        outcomes = await forced(
            rollouts, trace, after_step, self.answers_per_step, style=self.opening,
            temperature=self.temperature, tokens=self.answer_tokens,
        )  # fmt: skip
        if outcomes is None:
            return None
        return Probe(sum(outcome.hit for outcome in outcomes), len(outcomes))

    def forecast(self, trace: Trace) -> Cost:
        answers = self.answers_per_step * len(trace.steps)
        length = min(self.answer_tokens, 1 + len(trace.answer or "") // 2 + 4)
        return Cost(answers * length, answers, 1)
