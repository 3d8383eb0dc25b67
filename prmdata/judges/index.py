"""The first wrong step alone, by vote, as critics are asked on ProcessBench (arXiv 2412.06559).

A tie says nothing of any step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.indexes import Named, index
from prmdata.judges.reading.voting import most
from prmdata.records import Evidence, Trace, Verdict
from prmdata.settings import Amount, Count


@dataclass(frozen=True, slots=True)
class Index:
    """Take it for judges that reason at length: they end with one number."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"index": ("question", "paragraphs")}
    siblings: ClassVar[bool] = False

    votes: Count = 4
    """Answers to ask for."""
    sees: Sees = "nothing"
    """What the judge is shown beside the problem and the steps."""
    temperature: Amount = 0.7
    """Sampling temperature of answers."""
    max_tokens: Count = 4096
    """Most tokens of one answer; one that is cut before its box cannot be read."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        async def one(trace: Trace) -> Trace:
            judge = session.open_judge()
            messages = session.prompts["index"].messages(fields(trace, self.sees))
            how, steps = sampling(self.temperature, self.max_tokens), len(trace.steps)
            said = await judge.read(messages, self.votes, how, lambda text: index(text, steps))
            verdicts, note = self._vote(said, steps)
            notes = tuple(note if v == "wrong" else None for v in verdicts) if note else ()
            evidence: Evidence = recorded(
                self,
                session,
                judge,
                verdicts=verdicts,
                values=_shares(said, steps),
                notes=notes if any(notes) else (),
                found={"read": len(said)},
            )
            return trace.with_evidence(evidence)

        return await each(group, one)

    def _vote(self, said: Sequence[Named], steps: int) -> tuple[tuple[Verdict, ...], str | None]:
        chosen = most([-1 if named.first is None else named.first for named in said])
        unknown: tuple[Verdict, ...] = tuple("unknown" for _ in range(steps))
        if chosen is None:
            return unknown, None
        first = steps if chosen < 0 else chosen
        verdicts: tuple[Verdict, ...] = tuple(
            "right" if i < first else "wrong" if i == first else "unknown" for i in range(steps)
        )
        found = (n.reason for n in said if (n.first if n.first is not None else -1) == chosen)
        return verdicts, next(found, None)


def _shares(said: Sequence[Named], steps: int) -> tuple[float | None, ...]:
    """For each step, the share of answers that find the trace still right after it."""
    if not said:
        return ()
    return tuple(
        sum(n.first is None or n.first > step for n in said) / len(said) for step in range(steps)
    )
