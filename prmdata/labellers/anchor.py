"""Advantage of an action over what the problem's other traces got from the same state (GiGPO, arXiv
2505.10978).

Steps that begin in the same state of the environment are compared: the advantage of each is its
discounted return less their mean, and 0 where no other begins there. A state is what the
environment says it is, else what it showed last; of texts without an environment, the text so far.
The value after a step is the mean return of the steps that begin in the state it leads to.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import ClassVar

from prmdata.labellers.contract import Need, Verb, independent
from prmdata.labellers.tree.prefixes import prefix_names
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Amount, Share, settings_of

NAME = "anchor"
START = ""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Anchor:
    """Take it where several traces of a problem pass through the same states, and no sampler is at
    hand."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("siblings",)

    discount: Share = 0.95
    """For each step between an action and the end; from memory, not read in the paper's code."""
    weight: Amount = 1.0
    """Of a step's advantage beside the trace's own."""
    episode: bool = True
    """Add the trace's own advantage: its outcome less the mean over the problem's traces."""
    scaled: bool = True
    """Divide advantages by the standard deviation of what they are compared with."""
    alike: Share = 1.0
    """States are the same where their texts are so alike (1: equal)."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        drawn = [(t, w) for t in independent(group) if (w := worth(t, rollouts)) is not None]
        names = Names(self.alike)
        states = {trace.id: names.of(trace) for trace in group}
        returns: dict[str, list[float]] = defaultdict(list)
        for trace, outcome in drawn:
            for step, state in enumerate(states[trace.id]):
                returns[state].append(self._return(trace, step, outcome))
        outcomes = [outcome for _, outcome in drawn]
        known = {trace.id: outcome for trace, outcome in drawn}
        return [
            self._valued(trace, states[trace.id], known.get(trace.id), returns, outcomes)
            for trace in group
        ]

    def forecast(self, trace: Trace) -> Cost:
        del trace
        return Cost()

    def _return(self, trace: Trace, step: int, outcome: float) -> float:
        return outcome * self.discount ** (len(trace.steps) - 1 - step)

    def _valued(
        self,
        trace: Trace,
        states: Sequence[str],
        outcome: float | None,
        returns: Mapping[str, list[float]],
        outcomes: Sequence[float],
    ) -> Trace:
        """Of a trace without an outcome, or one that a search has grown, values alone are told."""
        found = [returns.get(state, []) for state in states]
        after = [fmean(one) if one else None for one in found[1:]] + [outcome] * bool(states)
        rewards = (
            [None] * len(states)
            if outcome is None
            else [self._step(trace, step, outcome, one, outcomes) for step, one in enumerate(found)]
        )
        return trace.with_evidence(
            Evidence(
                name=NAME,
                kind="scores",
                values=tuple(None if v is None else min(max(v, 0.0), 1.0) for v in after),
                rewards=tuple(rewards),
                notes=tuple(f"{len(n)} steps begin here" if len(n) > 1 else None for n in found),
                settings={**settings_of(self), "compared": sum(len(n) > 1 for n in found)},
            )
        )

    def _step(
        self,
        trace: Trace,
        step: int,
        outcome: float,
        others: Sequence[float],
        outcomes: Sequence[float],
    ) -> float:
        base = self._over(outcome, outcomes) if self.episode else 0.0
        return base + self.weight * self._over(self._return(trace, step, outcome), others)

    def _over(self, value: float, others: Sequence[float]) -> float:
        """How far it lies over the mean; a value alone lies nowhere."""
        if len(others) < 2:
            return 0.0
        spread = pstdev(others) + TINY if self.scaled else 1.0
        return (value - fmean(others)) / spread


def worth(trace: Trace, rollouts: Rollouts) -> float | None:
    if trace.score is not None:
        return trace.score
    outcome = rollouts.outcome_of(trace)
    return None if outcome is None else float(outcome)


class Names:
    """Names of states: equal or alike states of a problem have one name."""

    def __init__(self, alike: float) -> None:
        self._alike = alike
        self._known: list[str] = []

    def of(self, trace: Trace) -> list[str]:
        """Of the state in which each step begins."""
        if not trace.acts:
            return [name.hex() for name in prefix_names(trace)[: len(trace.steps)]]
        shown = [START]
        for step in trace.steps[:-1]:
            state = step.state if step.state is not None else step.observation
            shown.append(shown[-1] if state is None else state)
        return [self._name(text) for text in shown]

    def _name(self, text: str) -> str:
        if self._alike < 1:
            for known in self._known:
                if self._is_alike(known, text):
                    return hashlib.blake2b(known.encode(), digest_size=16).hexdigest()
            self._known.append(text)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _is_alike(self, one: str, other: str) -> bool:
        pair = difflib.SequenceMatcher(None, one, other, autojunk=False)
        return pair.real_quick_ratio() >= self._alike and pair.ratio() >= self._alike
