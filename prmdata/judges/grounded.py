"""Tools decide where they can, and a judge writes why (the rationales of GroundedPRM,
arXiv 2510.14942).

The judge is shown what verifiers have found. Their verdicts stand; the judge's own count for
steps of which no tool speaks. A reason that comes with another verdict than the tool's argues for
something else, and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.critique import SCHEMA
from prmdata.judges.reading.critiques import critique
from prmdata.records import Trace, Verdict
from prmdata.settings import Amount, Count


@dataclass(frozen=True, slots=True)
class Grounded:
    """Take it after `prmdata verify`: verdicts that were computed, in words that somebody can learn
    from."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"critique": ("question",)}
    siblings: ClassVar[bool] = False

    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 2048
    """Most tokens of the critique."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        return await each(group, lambda trace: self._one(trace, session))

    async def _one(self, trace: Trace, session: Session) -> Trace:
        judge, steps = session.open_judge(), len(trace.steps)
        tools = found_by_tools(trace)
        sees: Sees = "verdicts" if any(tools) else "nothing"
        asked = session.prompts["critique"].messages(fields(trace, sees))
        how = sampling(self.temperature, self.max_tokens)
        said = await judge.read(asked, 1, how, lambda text: critique(text, steps), SCHEMA)
        own = said[0].verdicts if said else (None,) * steps
        reasons = said[0].reasons if said else (None,) * steps
        verdicts = tuple(t or o or "unknown" for t, o in zip(tools, own, strict=True))
        notes = tuple(
            note if verdict == mine else None
            for note, verdict, mine in zip(reasons, verdicts, own, strict=True)
        )
        overruled = sum(bool(t and o and t != o) for t, o in zip(tools, own, strict=True))
        evidence = recorded(
            self,
            session,
            judge,
            verdicts=verdicts,
            notes=notes if any(notes) else (),
            found={"overruled": overruled},
        )
        return trace.with_evidence(evidence)


def found_by_tools(trace: Trace) -> tuple[Verdict | None, ...]:
    """What verifiers say of each step: wrong where one of them says so."""
    tools = [e for e in trace.evidence if e.kind == "verdicts" and e.checked_by == "tool"]
    said = ({e.verdicts[step] for e in tools} for step in range(len(trace.steps)))
    return tuple("wrong" if "wrong" in s else "right" if "right" in s else None for s in said)
