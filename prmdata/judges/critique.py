"""One reading of the whole trace, a verdict and a reason for each step, by vote (CAPO,
arXiv 2508.02298).

The verdict of each step is voted on up to the first that is called wrong. The notes are the reasons
of one critique that says what the vote says, never a mixture of several. Answers that cannot be
read are asked for again, twice at most, and then have no vote; without a vote every step is
unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.critiques import Critique as Said
from prmdata.judges.reading.critiques import critique
from prmdata.judges.reading.voting import Rule, voted
from prmdata.records import Evidence, Trace
from prmdata.settings import Amount, Count

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "step": {"type": "integer"},
                    "reason": {"type": "string"},
                    "verdict": {"enum": ["right", "wrong", "unknown"]},
                },
                "required": ["step", "reason", "verdict"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["checks"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Critique:
    """Take it first: it is the cheapest way to verdicts with reasons."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"critique": ("question",)}
    siblings: ClassVar[bool] = False

    votes: Count = 4
    """Critiques to ask for; they share one prompt, which a server reads once."""
    vote: Rule = "majority"
    """Which vote makes a step wrong: `majority` (a tie is unknown), `intersection` (all say so, as
    in CAPO) or `union` (any says so)."""
    sees: Sees = "nothing"
    """What the judge is shown beside the problem and the steps."""
    temperature: Amount = 0.7
    """Sampling temperature of critiques."""
    max_tokens: Count = 2048
    """Most tokens of one critique; one that is cut cannot be read."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            judge = session.open_judge()
            said = await self.critiques(trace, session, judge)
            return trace.with_evidence(self.evidence(trace, session, judge, said))

        return await each(group, one)

    async def critiques(self, trace: Trace, session: Session, judge: Judge) -> list[Said]:
        messages = session.prompts["critique"].messages(fields(trace, self.sees))
        steps = len(trace.steps)
        how = sampling(self.temperature, self.max_tokens)
        return await judge.read(messages, self.votes, how, lambda t: critique(t, steps), SCHEMA)

    def evidence(
        self, trace: Trace, session: Session, judge: Judge, said: Sequence[Said]
    ) -> Evidence:
        vote = voted(said, len(trace.steps), self.vote)
        carried = said[vote.carrier].reasons if vote.carrier is not None else ()
        first = next((i for i, v in enumerate(vote.verdicts) if v == "wrong"), len(trace.steps))
        notes = tuple(note if i <= first else None for i, note in enumerate(carried))
        found = {"read": len(said), "carrier": vote.carrier}
        return recorded(
            self,
            session,
            judge,
            verdicts=vote.verdicts,
            values=vote.values if said else (),
            notes=notes if any(notes) else (),
            found=found,
        )
