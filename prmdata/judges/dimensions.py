"""The reasoning as a whole in dimensions, each scored from 0 to 4 by a question of its own (DRM):
relevance to the problem, and coherence.

The mean of the scores, as a share, is the reward of the last step; each score stands in the
settings. The policy's own confidence, the paper's third dimension, is what `estimate` reads from
log-probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.choices import score
from prmdata.records import Trace
from prmdata.settings import Amount, Count

MOST = 4


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Take it where whole answers are compared, and steps are hard to tell apart."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "relevance": ("question", "steps"),
        "coherence": ("question", "steps"),
    }
    siblings: ClassVar[bool] = False

    votes: Count = 1
    """Scores for each dimension; their mean counts."""
    sees: Sees = "nothing"
    """What the judge is shown beside the problem and the steps."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 1024
    """Most tokens of one score with its reason."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        return await each(group, lambda trace: self._one(trace, session))

    async def _one(self, trace: Trace, session: Session) -> Trace:
        judge = session.open_judge()
        shown = fields(trace, self.sees)
        found = {name: await self._scored(name, shown, session, judge) for name in self.prompts}
        known = [value for value in found.values() if value is not None]
        whole = fmean(known) if len(known) == len(found) else None
        evidence = recorded(
            self,
            session,
            judge,
            kind="scores",
            rewards=(*(None,) * (len(trace.steps) - 1), whole),
            found={"dimensions": found},
        )
        return trace.with_evidence(evidence)

    async def _scored(
        self, name: str, shown: Mapping[str, str], session: Session, judge: Judge
    ) -> float | None:
        how = sampling(self.temperature, self.max_tokens)
        asked = session.prompts[name].messages(shown)
        said = await judge.read(asked, self.votes, how, lambda text: score(text, MOST))
        return fmean(said) / MOST if said else None
