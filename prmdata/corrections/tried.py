"""Rollouts after what a trace did, and after what it should have done: the two rates beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prmdata.labellers.contract import Probe
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Outcome, Rollouts


@dataclass(frozen=True, slots=True)
class Tried:
    """How often the answer came out right."""

    hits: int = 0
    rollouts: int = 0

    @property
    def rate(self) -> float | None:
        return self.hits / self.rollouts if self.rollouts else None

    def __add__(self, other: Tried) -> Tried:
        return Tried(self.hits + other.hits, self.rollouts + other.rollouts)


def counted(outcomes: Sequence[Outcome]) -> Tried:
    return Tried(sum(outcome.hit for outcome in outcomes), len(outcomes))


async def after(rollouts: Rollouts, trace: Trace, steps: int, n: int) -> Tried:
    """From a prefix; a trace that ends there was graded, and is its own only rollout."""
    if steps < len(trace.steps):
        return counted(await rollouts.sample(trace, steps, n)) if n else Tried()
    ended = rollouts.outcome_of(trace)
    return Tried() if ended is None else Tried(int(ended), 1)


def evidence(
    name: str, trace: Trace, probes: Mapping[int, Tried], settings: Mapping[str, object], cost: Cost
) -> Evidence:
    """Rates by the number of steps they were sampled after, as evidence by step."""
    found = [probes.get(step + 1) for step in range(len(trace.steps))]
    counts = [None if tried is None else Probe(tried.hits, tried.rollouts) for tried in found]
    return Evidence(
        name,
        "rollouts",
        values=tuple(p.hits / p.rollouts if p and p.rollouts else None for p in counts),
        hits=tuple(p.hits if p else None for p in counts),
        rollouts=tuple(p.rollouts if p else None for p in counts),
        stopping="fixed",
        settings=dict(settings),
        cost=cost,
    )


def corrected(branch: Trace, by: str, settings: Mapping[str, object]) -> Trace:
    """A branch that ends right: taken at its word, for nobody has looked at its steps."""
    values = (1.0,) * len(branch.steps)
    labels = Labels(by, None, values, examined=False, settings=dict(settings))
    return replace(branch, labels=labels)


def first_errors(traces: Sequence[Trace], confidence: float) -> dict[str, int]:
    """Where the labels of wrong traces say they go wrong, where they are sure enough."""
    found = {}
    for trace in traces:
        labels = trace.labels
        if labels is None or labels.first_error is None or trace.correct is True:
            continue
        if labels.confidence is None or labels.confidence >= confidence:
            found[trace.id] = labels.first_error
    return found
