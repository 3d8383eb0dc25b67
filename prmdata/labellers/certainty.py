"""How sure a model is of each step, from one reading of the trace (arXiv 2502.18581).

The reward of a step is the mean over its tokens of one of: `certainty`, the distance of the next
token's distribution from a uniform guess, −mean log(V·p); `nll`, the log-probability of the token;
`surprise`, that of the step's least likely token; `entropy` and `first-entropy`, the negative
entropy of all tokens or of the step's first. More is surer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar, Literal

from prmdata.errors import ItemError
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.openings.reading import tokens_of
from prmdata.records import Cost, Evidence, Trace, content_of
from prmdata.sampler.protocol import MOST_LIKELY, Scored
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of

Measure = Literal["certainty", "nll", "surprise", "entropy", "first-entropy"]


@dataclass(frozen=True, slots=True)
class Certainty:
    """Take it where errors are slips, which the model itself finds unlikely: one reading a trace is
    as cheap as evidence gets. It needs no answer, and it is blind to errors the model believes in.
    """

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "scores")

    measure: Measure = "surprise"
    """`certainty` needs a sampler that shows the whole vocabulary (`abacus`, `local`); with servers
    the entropies are those of the twenty likeliest tokens, scaled to sum to one."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        top = 0 if self.measure in ("nll", "surprise") else MOST_LIKELY
        read = await rollouts.score_steps(trace, top=top)
        numbers = self._numbers(trace, read)
        return trace.with_evidence(
            Evidence(
                name="certainty",
                kind="scores",
                rewards=tuple(
                    self._of_step(numbers[span.start : span.stop])
                    for span in tokens_of(trace, read)
                ),
                settings=settings_of(self),
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    def _numbers(self, trace: Trace, read: Scored) -> Sequence[float]:
        if self.measure in ("nll", "surprise"):
            return read.logprobs
        if self.measure != "certainty":
            return [-entropy for entropy in read.entropies]
        if len(read.certainties) != len(read.logprobs):
            raise ItemError(
                f"trace {trace.id}: this sampler shows the likeliest tokens alone, and certainty "
                "needs the whole vocabulary; choose --set measure=entropy, nll or surprise"
            )
        return read.certainties

    def _of_step(self, numbers: Sequence[float]) -> float | None:
        if not numbers:
            return None
        if self.measure == "surprise":
            return min(numbers)
        return numbers[0] if self.measure == "first-entropy" else fmean(numbers)

    def forecast(self, trace: Trace) -> Cost:
        return read_once(trace)


def read_once(trace: Trace) -> Cost:
    """About what one reading of a trace with its prompt takes."""
    asked = sum(len(content_of(message)) for message in trace.origin.messages)
    asked = asked or len(trace.problem.question)
    own = trace.origin.tokens or len(trace.text) // 4
    return Cost(scored=own + asked // 4, rounds=1)
