"""Many checks of a trace without its answer, and a second reading of each (SPARK).

`step` takes the majority on each step; `outcome` the majority on whether there is a wrong step at
all, carried by one check that agrees; `meta` has every check reviewed and corrected by a second
prompt before it votes. No prompt holds a gold answer or a reference solution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.critique import SCHEMA
from prmdata.judges.reading.critiques import Critique, critique
from prmdata.judges.reading.voting import Vote, most, voted
from prmdata.records import Trace, Verdict
from prmdata.settings import Amount, Count
from prmdata.tasks import together

Aggregation = Literal["step", "outcome", "meta", "outcome+meta"]


@dataclass(frozen=True, slots=True)
class Meta:
    """Take it where no answer is known and tokens are cheap: the labels that SPARK trains on."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "critique": ("question",),
        "meta": ("question", "check"),
    }
    siblings: ClassVar[bool] = False

    votes: Count = 16
    """Checks of each trace."""
    aggregate: Aggregation = "step"
    """How they become one: by step, by outcome, after a second reading, or the last two at once."""
    temperature: Amount = 0.7
    """Sampling temperature of checks and of their reviews."""
    max_tokens: Count = 2048
    """Most tokens of one check."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        return await each(group, lambda trace: self._one(trace, session))

    async def _one(self, trace: Trace, session: Session) -> Trace:
        judge, steps = session.open_judge(), len(trace.steps)
        how = sampling(self.temperature, self.max_tokens)
        asked = session.prompts["critique"].messages(fields(trace))
        said = await judge.read(asked, self.votes, how, lambda t: critique(t, steps), SCHEMA)
        if "meta" in self.aggregate:
            reviews = (self._reviewed(trace, session, judge, check) for check in said)
            said = await together(*reviews)
        vote = by_outcome(said, steps) if "outcome" in self.aggregate else _by_step(said, steps)
        carried = said[vote.carrier].reasons if vote.carrier is not None else ()
        evidence = recorded(
            self,
            session,
            judge,
            verdicts=vote.verdicts,
            values=vote.values if said else (),
            notes=carried if any(carried) else (),
            found={"read": len(said), "carrier": vote.carrier},
        )
        return trace.with_evidence(evidence)

    async def _reviewed(
        self, trace: Trace, session: Session, judge: Judge, check: Critique
    ) -> Critique:
        """The check as the second reading corrects it; one that cannot be read leaves it as it
        is."""
        said = "\n".join(
            f"Step {at}: {verdict}. {reason or ''}".rstrip()
            for at, (verdict, reason) in enumerate(
                zip(check.decision, check.reasons, strict=False), 1
            )
        )
        asked = session.prompts["meta"].messages({**fields(trace), "check": said})
        how, steps = sampling(self.temperature, self.max_tokens), len(trace.steps)
        found = await judge.read(asked, 1, how, lambda t: critique(t, steps), SCHEMA)
        return found[0] if found else check


def _by_step(said: Sequence[Critique], steps: int) -> Vote:
    """Of several that agree with the vote, the one with the longest reasons carries it."""
    vote = voted(said, steps, "majority")
    first = next((i for i, v in enumerate(vote.verdicts) if v == "wrong"), None)
    end = steps if first is None else first + 1
    agreeing = [
        at
        for at, found in enumerate(said)
        if found.first_wrong == first and found.verdicts[:end] == vote.verdicts[:end]
    ]
    longest = max(agreeing, key=lambda at: (_length(said[at]), -at), default=None)
    return replace(vote, carrier=longest)


def _length(found: Critique) -> int:
    return sum(len(reason or "") for reason in found.reasons)


def by_outcome(said: Sequence[Critique], steps: int) -> Vote:
    """The majority on whether there is a wrong step, and the first check that agrees."""
    unknown: tuple[Verdict, ...] = tuple("unknown" for _ in range(steps))
    wrong = most([found.first_wrong is not None for found in said])
    if wrong is None:
        return Vote(unknown, (None,) * steps, None)
    at = next(at for at, found in enumerate(said) if (found.first_wrong is not None) == wrong)
    verdicts = [v or "unknown" for v in said[at].decision]
    verdicts += ["unknown"] * (steps - len(verdicts))
    return Vote(tuple(verdicts), voted(said, steps, "majority").values, at)
