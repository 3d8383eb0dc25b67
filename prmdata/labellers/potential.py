"""How near a trace is to its answer, and how sure (SPAE, arXiv 2601.03823).

After every step an answer is opened. acc is the probability of the gold answer there; conf is
exp(−H), H being the mean entropy of the tokens of the answer that the model would give. The
potential Φ = 1.5·acc·conf + .5·acc − conf is 1 where the model is sure and right, −1 where it is
sure and wrong, 0 where it is unsure. The reward of a step is what it adds to Φ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.gain import read_at_every_step
from prmdata.labellers.openings.answers import gains, gold_of
from prmdata.labellers.openings.forced import forced
from prmdata.labellers.openings.opening import Style, opening_after
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.protocol import MOST_LIKELY
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Count, settings_of
from prmdata.tasks import together


@dataclass(frozen=True, slots=True)
class Potential:
    """Take it for rewards that also punish being sure too early, and to find where a trace was
    solved and went on. Without a gold answer it says how sure the model is, and nothing else.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores")

    answer_tokens: Count = 24
    """Most tokens of the answer that the model gives by itself."""
    opening: Style = "auto"
    """How an answer is opened: `boxed`, `tags` (<answer>), `phrase`, or as the trace does it."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        golds = gold_of(trace) if trace.problem.golds else ()
        places = range(len(trace.steps) + 1)
        found = await together(*(self._place(trace, t, golds, rollouts) for t in places))
        phi = [None if place is None else potential(*place) for place in found]
        rewards = gains(phi, "difference")
        return trace.with_evidence(
            Evidence(
                name="potential",
                kind="scores",
                values=tuple(place and place[0] for place in found[1:]),
                notes=tuple(_note(place) for place in found[1:]),
                rewards=(0.0, *rewards[1:]) if rewards else (),  # as the release has it
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=2),
            )
        )

    async def _place(
        self, trace: Trace, after_step: int, golds: Sequence[str], rollouts: Rollouts
    ) -> tuple[float | None, float] | None:
        """acc and conf."""
        opening = opening_after(rollouts.text_before(trace, after_step), trace, self.opening)
        if opening is None:
            return None
        own = await forced(
            rollouts, trace, after_step, 1, style=self.opening, temperature=0,
            tokens=self.answer_tokens,
        )  # fmt: skip
        text = own[0].text if own else ""
        read = await rollouts.score(
            trace, after_step, text, opening=opening.before, top=MOST_LIKELY
        )
        conf = math.exp(-fmean(read.entropies)) if read.entropies else 0.0
        if not golds:
            return None, conf
        scored = await together(
            *(
                rollouts.score(trace, after_step, opening.stated(gold), opening=opening.before)
                for gold in golds
            )
        )
        return max(math.exp(one.total) for one in scored), conf

    def forecast(self, trace: Trace) -> Cost:
        places = len(trace.steps) + 1
        reading = read_at_every_step(trace)
        return reading + reading + Cost(tokens=places * 4, rollouts=places, rounds=1)


def potential(acc: float | None, conf: float) -> float:
    """Without an answer to compare with, how sure the model is."""
    return conf if acc is None else 1.5 * acc * conf + 0.5 * acc - conf


def _note(place: tuple[float | None, float] | None) -> str | None:
    return None if place is None else f"confidence {place[1]:.3f}"
