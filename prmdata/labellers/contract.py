"""What a labelling method is, and what methods share.

A method is a frozen dataclass: its fields are its settings (`--set name=value`), its `apply` takes
a problem's traces and gives them back, with evidence (`verb = "estimate"`) or decided
(`verb = "label"`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from prmdata.errors import GraderError, ItemError
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of
from prmdata.tasks import together

Verb = Literal["estimate", "label"]
Need = Literal["sampler", "evidence", "siblings"]


class Method(Protocol):
    verb: ClassVar[Verb]
    needs: ClassVar[tuple[Need, ...]]
    """`sampler`: it pays for rollouts. `evidence`: it decides from what traces already carry.
    `siblings`: the problem's other traces change what it finds, so a trace is never read alone."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]: ...

    def forecast(self, trace: Trace) -> Cost:
        """What this trace will cost, as far as can be told before spending."""
        ...


async def each(group: Sequence[Trace], work: Callable[[Trace], Awaitable[Trace]]) -> list[Trace]:
    """For methods that need one trace at a time: all of them at once, failing one by one."""

    async def one(trace: Trace) -> Trace:
        try:
            return await work(trace)
        except (ItemError, GraderError) as error:
            return trace.failed(str(error))

    return await together(*(one(trace) for trace in group))


def independent(group: Sequence[Trace]) -> list[Trace]:
    """The traces that are rollouts of the question; a branch was given its first steps."""
    return [trace for trace in group if trace.origin.parent is None]


@dataclass(slots=True)
class Probe:
    """Rollouts counted at one prefix."""

    hits: int = 0
    rollouts: int = 0
    rounds: int = 0


WAVES = (1, 1, 2, 4)
"""Early stopping samples in waves of these sizes, the last one repeated."""


async def probe(
    rollouts: Rollouts, trace: Trace, after_step: int, k: int, *, first_hit: bool = False
) -> Probe:
    """k rollouts from a prefix, or fewer where the first hit settles it."""
    seen = Probe()
    waves = list(WAVES) if first_hit else [k]
    asked = 0
    while asked < k and not (first_hit and seen.hits):
        wave = min(waves.pop(0) if len(waves) > 1 else waves[0], k - asked)
        outcomes = await rollouts.sample(trace, after_step, wave)
        asked += wave
        seen.rounds += 1
        seen.rollouts += len(outcomes)
        seen.hits += sum(outcome.hit for outcome in outcomes)
    return seen


def tokens_left(trace: Trace, after_step: int) -> int:
    """About how many tokens a rollout from this prefix takes: as many as the trace itself took."""
    length = max(len(trace.text), 1)
    whole = trace.origin.tokens or length // 4
    return round(whole * (1 - len(trace.prefix(after_step)) / length))


def probed(trace: Trace, probes: dict[int, Probe]) -> dict[str, Any]:
    """The columns of rollout evidence; `probes` holds what was sampled after each step count."""
    steps = range(1, len(trace.steps) + 1)
    counts = [probes.get(t) for t in steps]
    return {
        "values": tuple(p.hits / p.rollouts if p and p.rollouts else None for p in counts),
        "hits": tuple(p.hits if p else None for p in counts),
        "rollouts": tuple(p.rollouts if p else None for p in counts),
    }


def decided(
    trace: Trace, method: Any, name: str, first_error: int | None, evidence: Evidence | None = None
) -> Trace:
    """The trace with hard labels: right before `first_error`, wrong from there on."""
    wrong_from = len(trace.steps) if first_error is None else first_error
    labels = Labels(
        by=name,
        first_error=first_error,
        values=tuple(1.0 if i < wrong_from else 0.0 for i in range(len(trace.steps))),
        settings=settings_of(method),
        cost=evidence.cost if evidence else Cost(),
    )
    with_evidence = trace.with_evidence(evidence) if evidence else trace
    return dataclasses.replace(with_evidence, labels=labels)


def taken_at_its_word(trace: Trace, method: Any, name: str) -> Trace:
    """A trace that ends right and was not looked into: no error, and marked as unexamined."""
    labels = Labels(
        by=name,
        values=(1.0,) * len(trace.steps),
        examined=False,
        settings=settings_of(method),
    )
    return dataclasses.replace(trace, labels=labels)


def steps_repeated(trace: Trace, after_step: int, text: str) -> int:
    """How many of the steps that follow in the trace this text begins with, word for word."""
    at = kept = 0
    last = len(trace.steps) - 1
    for index in range(after_step, len(trace.steps)):
        step = trace.steps[index].text
        if index == last:
            return kept + (text[at:].rstrip() == step.rstrip())
        if not text.startswith(step, at):
            return kept
        at += len(step)
        kept += 1
    return kept


def detections(trace: Trace) -> list[int]:
    """For each verifier and judge, the first step that it calls wrong, from 1."""
    found = (
        next((i for i, v in enumerate(evidence.verdicts, 1) if v == "wrong"), None)
        for evidence in trace.evidence
        if evidence.kind == "verdicts"
    )
    return [place for place in found if place is not None]
