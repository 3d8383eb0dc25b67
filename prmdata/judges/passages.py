"""What each search brought, judged passage by passage: does it bear on the question (R3-RAG,
Search-R2)?

The reward of a step that searches is the share of its passages that do. A search that brings
nothing useful was not therefore wrong to make: there are no verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields, tagged_texts
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.choices import json_value
from prmdata.records import Trace
from prmdata.settings import Amount, Count
from prmdata.turns import documents_of

MOST = 32
"""Passages of a step that the judge is shown."""
LONGEST = 4_000
"""Characters of one passage."""


@dataclass(frozen=True, slots=True)
class Passages:
    """Take it for agents that search, where gold documents are not known."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"passages": ("question", "passages")}
    siblings: ClassVar[bool] = False

    only_right: bool = False
    """A trace that ends wrong gets 0 for every search (Search-R2's density)."""
    votes: Count = 1
    """Readings of each search; their mean counts."""
    sees: Sees = "nothing"
    """What the judge is shown beside the question, such as `answer`."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 1024
    """Most tokens of one answer."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        return await each(group, lambda trace: self._one(trace, session))

    async def _one(self, trace: Trace, session: Session) -> Trace:
        judge = session.open_judge()
        rewards: list[float | None] = []
        notes: list[str | None] = []
        shown = fields(trace, self.sees, 0)
        for step in trace.steps:
            brought = [text for _, text in documents_of(step)][:MOST]
            share = await self._share(brought, shown, session, judge) if brought else None
            notes.append(None if share is None else f"{share:.0%} of {len(brought)} passages")
            if share is not None and self.only_right and trace.correct is not True:
                share = 0.0
            rewards.append(share)
        evidence = recorded(
            self, session, judge, kind="scores", rewards=tuple(rewards), notes=tuple(notes)
        )
        return trace.with_evidence(evidence)

    async def _share(
        self, brought: Sequence[str], shown: Mapping[str, str], session: Session, judge: Judge
    ) -> float | None:
        passages = tagged_texts([text[:LONGEST] for text in brought], "passage", 1)
        asked = session.prompts["passages"].messages({**shown, "passages": passages})
        how = sampling(self.temperature, self.max_tokens)
        said = await judge.read(asked, self.votes, how, lambda text: useful(text, len(brought)))
        return fmean(len(one) / len(brought) for one in said) if said else None


def useful(text: str, count: int) -> set[int] | None:
    """The numbers of the passages that are useful."""
    read = json_value(text)
    if isinstance(read, dict):
        read = next((value for value in read.values() if isinstance(value, list)), None)
    if not isinstance(read, list):
        return None
    fine = all(type(one) is int and 1 <= one <= count for one in read)
    return set(read) if fine else None
