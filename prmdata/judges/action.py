"""Actions that could be taken at one place, scored by a judge (SLATE, arXiv 2602.23440): -1, 0 or 1
apart for what an action thinks, what it asks a tool, and what it answers.

The score of an action is the sum; its reward is how far that lies above the mean of its siblings,
the actions of other traces after the same steps, in standard deviations: 0 for equal ones, nothing
where there are none. Siblings come from `estimate --method next-step --set by=judge`, which
samples them and buys no rollouts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import ClassVar

from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields, shown
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.judges.reading.choices import json_value
from prmdata.records import Step, Trace
from prmdata.settings import Amount, Count

PARTS = ("thought", "query", "answer")
PROPOSED = "next-step"
"""The evidence that says which step is the decision."""


@dataclass(slots=True)
class Scored:
    """What the judge said of one trace."""

    judge: Judge
    scores: dict[int, float] = field(default_factory=dict)
    """Step → sum of its parts."""
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """Take it for agents, where rollouts of every candidate would cost too much."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {"action": ("question", "before", "action")}
    siblings: ClassVar[bool] = True

    votes: Count = 1
    """Scores of each action; their mean counts."""
    early: Amount = 0.0
    """What a good answer earns beside, times the share of the longest trace's steps that it
    saves."""
    normalised: bool = True
    """Rewards are advantages over siblings; without it, the scores themselves."""
    sees: Sees = "nothing"
    """What the judge is shown beside the problem and the steps."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 1024
    """Most tokens of one answer."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        found: dict[str, Scored] = {}
        longest = max((len(trace.steps) for trace in group), default=0)

        async def one(trace: Trace) -> Trace:
            found[trace.id] = scored = Scored(session.open_judge())
            for at in decisions(trace):
                await self._score(trace, at, longest, scored, session)
            return trace

        made = await each(group, one)
        rewards = self._rewards([trace for trace in made if trace.id in found], found)
        return [
            self._with_evidence(trace, rewards[trace.id], found[trace.id], session)
            if trace.id in rewards and trace.error is None
            else trace
            for trace in made
        ]

    async def _score(
        self, trace: Trace, at: int, longest: int, scored: Scored, session: Session
    ) -> None:
        prefix = fields(trace, self.sees, at)
        asked = session.prompts["action"].messages(
            {**prefix, "before": prefix["steps"] or "(none)", "action": written(trace.steps[at])}
        )
        how = sampling(self.temperature, self.max_tokens)
        said = await scored.judge.read(asked, self.votes, how, parts)
        if not said:
            return
        score = fmean(sum(one.values()) for one in said)
        if fmean(one.get("answer", 0) for one in said) > 0:
            score += self.early * (1 - (at + 1) / longest)
        scored.scores[at] = score
        scored.notes[at] = ", ".join(f"{name} {value:+d}" for name, value in said[0].items())

    def _rewards(
        self, group: Sequence[Trace], found: Mapping[str, Scored]
    ) -> dict[str, dict[int, float]]:
        """For each trace the rewards of its steps."""
        if not self.normalised:
            return {trace.id: found[trace.id].scores for trace in group}
        places: dict[tuple[str, ...], dict[str, dict[str, float]]] = defaultdict(dict)
        for trace in group:
            for at, score in found[trace.id].scores.items():
                before = tuple(whole(step) for step in trace.steps[:at])
                places[before].setdefault(whole(trace.steps[at]), {})[trace.id] = score
        rewards: dict[str, dict[int, float]] = {trace.id: {} for trace in group}
        for before, actions in places.items():
            scores = [fmean(same.values()) for same in actions.values()]
            if len(scores) < 2:
                continue
            mean, spread = fmean(scores), pstdev(scores)
            for same, score in zip(actions.values(), scores, strict=True):
                for name in same:
                    rewards[name][len(before)] = (score - mean) / spread if spread else 0.0
        return rewards

    def _with_evidence(
        self, trace: Trace, rewards: Mapping[int, float], scored: Scored, session: Session
    ) -> Trace:
        places = range(len(trace.steps))
        evidence = recorded(
            self,
            session,
            scored.judge,
            kind="scores",
            rewards=tuple(rewards.get(at) for at in places),
            notes=tuple(scored.notes.get(at) for at in places),
        )
        return trace.with_evidence(evidence)


def decisions(trace: Trace) -> Sequence[int]:
    """The steps to score: the one that was proposed, or all."""
    evidence = trace.evidence_named(PROPOSED)
    at = evidence.settings.get("after_step") if evidence is not None else None
    if isinstance(at, int) and at < len(trace.steps):
        return [at]
    return range(len(trace.steps))


def whole(step: Step) -> str:
    """What makes an action another one: its words, and what answered it."""
    return f"{step.text}\0{step.observation or ''}"


def written(step: Step) -> str:
    """The action without what answered it."""
    return step.text.strip() if step.messages else shown(step)


def parts(text: str) -> dict[str, int] | None:
    """The score of each part that the judge found in the action."""
    read: object = json_value(text)
    if not isinstance(read, dict):
        return None
    found = {name: read[name] for name in PARTS if read.get(name) is not None}
    fine = all(type(value) is int and value in (-1, 0, 1) for value in found.values())
    return found if found and fine else None
