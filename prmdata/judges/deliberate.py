"""A long critique of each step: a first look, a second one against it, and both made into one
(DeepCritic, arXiv 2505.00662; verification data as GenPRM and ThinkPRM make it).

Where a trace has labels, its critiques are kept only if their verdicts are the labels' up to the
first error; then they are worth training on. What is rejected leaves no verdict and no note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.critiques import critique
from prmdata.records import Trace, Verdict
from prmdata.settings import Amount, Count

Said = tuple[Verdict, str | None]
REJECTED = "rejected"
FIELDS = ("question", "steps", "number")


@dataclass(frozen=True, slots=True)
class Deliberate:
    """Take it to make a judge's training data: three answers for each step, long and checked."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "deliberate-first": FIELDS,
        "deliberate-second": (*FIELDS, "first"),
        "deliberate-merge": (*FIELDS, "first", "second"),
    }
    siblings: ClassVar[bool] = False

    keep: Literal["agreeing", "all"] = "agreeing"
    """Whether critiques that contradict the trace's labels are rejected, or kept all the same."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 2048
    """Most tokens of each of the three answers."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        return await each(group, lambda trace: self._one(trace, session))

    async def _one(self, trace: Trace, session: Session) -> Trace:
        judge = session.open_judge()
        said: list[Said] = []
        for number in range(1, len(trace.steps) + 1):
            found = await self._of_step(trace, number, session, judge)
            if found is None:
                break
            said.append(found)
            if found[0] == "wrong":
                break
        rest = len(trace.steps) - len(said)
        unknown: tuple[Verdict, ...] = tuple("unknown" for _ in trace.steps)
        verdicts = (*(v for v, _ in said), *unknown[len(said) :])
        notes = tuple(note for _, note in said) + (None,) * rest
        kept = self.keep == "all" or agrees(trace, verdicts)
        evidence = recorded(
            self,
            session,
            judge,
            verdicts=verdicts if kept else unknown,
            notes=notes if kept and any(notes) else (),
            stopping=None if kept else REJECTED,
        )
        return trace.with_evidence(evidence)

    async def _of_step(
        self, trace: Trace, number: int, session: Session, judge: Judge
    ) -> Said | None:
        """The verdict on one step with its long reason; nothing where the last answer has none."""
        how = sampling(self.temperature, self.max_tokens)
        shown = {**fields(trace, kept=number), "number": str(number)}
        for name in ("deliberate-first", "deliberate-second"):
            [done] = await judge.ask(session.prompts[name].messages(shown), 1, how)
            shown["second" if "first" in shown else "first"] = done.text[:20_000]

        def verdict(text: str) -> Said | None:
            own = said_last(text, number)
            return None if own is None else (own, text.strip().rpartition("\n")[0].strip() or None)

        asked = session.prompts["deliberate-merge"].messages(shown)
        merged = await judge.read(asked, 1, how, verdict)
        return merged[0] if merged else None


def said_last(text: str, number: int) -> Verdict | None:
    """Right or wrong, as the last line says of this step."""
    lines = text.strip().splitlines()
    before = "".join(f"Step {n}: right\n" for n in range(1, number))
    found = critique(before + lines[-1], number) if lines else None
    own = None if found is None else found.verdicts[number - 1]
    return own if own in ("right", "wrong") else None


def agrees(trace: Trace, verdicts: Sequence[Verdict]) -> bool:
    """Whether these are the labels' verdicts up to the first error; without labels, nothing is
    contradicted."""
    labels = trace.labels
    if labels is None or labels.undecided:
        return True
    first = len(verdicts) if labels.first_error is None else labels.first_error
    right = all(verdict == "right" for verdict in verdicts[:first])
    return right and (labels.first_error is None or verdicts[first] == "wrong")
