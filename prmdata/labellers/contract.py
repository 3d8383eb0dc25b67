"""What a labelling method is, and what methods share.

A method is a frozen dataclass: its fields are its settings (`--set name=value`), its `apply` takes
a problem's traces and gives them back, with evidence (`verb = "estimate"`) or decided
(`verb = "label"`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from prmdata.errors import GraderError, ItemError
from prmdata.records import Cost, Evidence, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of
from prmdata.tasks import together

Verb = Literal["estimate", "label", "repair", "intervene"]
Need = Literal["sampler", "scores", "ratings", "reference", "evidence", "siblings"]


class Method(Protocol):
    verb: ClassVar[Verb]
    needs: ClassVar[tuple[Need, ...]]
    """`sampler`: it asks a model. `scores`: for the probabilities of given text. `ratings`: for
    what a reward model thinks, or for the probabilities of its verdicts. `reference`: a second
    model too. `evidence`: it decides from what traces already carry.
    `siblings`: the problem's other traces change what it finds, so a trace is never read alone."""

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]: ...

    def forecast(self, trace: Trace) -> Cost:
        """About what this trace will cost, before anything is spent."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A method that looks at some of the run's problems before it labels any of them.

    Which ones is a setting and a matter of the seed, so that labels still depend on the trace, the
    settings, the input and the store alone; what it buys there, the store serves again later.
    """

    pilot: int
    """How many wrong traces it wants to see."""
    policy: str | None
    """A file with what was learned elsewhere: then it looks at none."""

    async def learned(
        self,
        problems: Sequence[Sequence[Trace]],
        rollouts: Callable[[], Rollouts],
        report: Callable[[str], None],
    ) -> Method:
        """The method with what it has learned."""
        ...


Known = Callable[[Trace], int | Literal[False] | None]
"""The first wrong step that people named, `None` for none; `False` where they did not judge it."""


@runtime_checkable
class Pools(Protocol):
    """A method that reads all of the run's traces before it labels any, and asks for no
    rollouts."""

    table: str | None
    """A file with what was learned elsewhere: then it reads none."""
    audited: str | None
    """A file of traces that people judged."""

    def pooled(
        self, traces: Sequence[Trace], known: Known | None, report: Callable[[str], None]
    ) -> Method:
        """The method with what it has learned."""
        ...


async def each(group: Sequence[Trace], work: Callable[[Trace], Awaitable[Trace]]) -> list[Trace]:
    """For methods that need one trace at a time: all of them at once, failing one by one."""

    async def attempt(trace: Trace) -> Trace:
        try:
            return await work(trace)
        except (ItemError, GraderError) as error:
            return trace.failed(str(error))

    return await together(*(attempt(trace) for trace in group))


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
    rollouts: Rollouts,
    trace: Trace,
    after_step: int,
    k: int,
    *,
    first_hit: bool = False,
    decides: bool = False,
) -> Probe:
    """k rollouts from a prefix, or fewer where the first hit settles it.

    `decides`: no hit will be read as a wrong prefix, so some rollout must count.
    """
    found = Probe()
    waves = list(WAVES) if first_hit else [k]
    requested = 0
    while requested < k and not (first_hit and found.hits):
        wave = min(waves.pop(0) if len(waves) > 1 else waves[0], k - requested)
        outcomes = await rollouts.sample(trace, after_step, wave)
        requested += wave
        found.rounds += 1
        found.rollouts += len(outcomes)
        found.hits += sum(outcome.hit for outcome in outcomes)
    if decides and requested and not found.rollouts:
        raise without_outcome(trace, after_step, requested)
    return found


def without_outcome(trace: Trace, after_step: int, rollouts: int) -> ItemError:
    """Nothing can be decided where `--cut drop` leaves no rollout."""
    return ItemError(
        f"trace {trace.id}: none of {rollouts} rollouts after step {after_step} has an outcome "
        "(cut, or not read); raise --max-tokens, or count them as misses: --cut miss"
    )


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
    trace: Trace,
    method: object,
    name: str,
    first_error: int | None,
    evidence: Evidence | None = None,
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


def taken_at_its_word(trace: Trace, method: object, name: str) -> Trace:
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
    position = repeated = 0
    last = len(trace.steps) - 1
    for index in range(after_step, len(trace.steps)):
        step = trace.steps[index].text
        if index == last:
            return repeated + (text[position:].rstrip() == step.rstrip())
        if not text.startswith(step, position):
            return repeated
        position += len(step)
        repeated += 1
    return repeated


def detections(trace: Trace) -> list[int]:
    """For each verifier and judge, the first step that it calls wrong, from 1."""
    firsts = (e.first_wrong for e in trace.evidence if e.kind == "verdicts")
    return [first + 1 for first in firsts if first is not None]
