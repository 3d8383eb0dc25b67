"""`fit`: a pilot of traces → what `posterior` may believe of their policy, and its price."""

from __future__ import annotations

import asyncio
import functools
import itertools
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from prmdata.errors import GraderError, InputError, ItemError
from prmdata.files import Unreadable, read_groups, read_traces
from prmdata.files.paths import writing
from prmdata.labellers.belief.fitting import Pilot, fit
from prmdata.labellers.belief.prior import World
from prmdata.labellers.posterior import Posterior, already_paid, known_of, seen_of
from prmdata.records import Trace
from prmdata.run.stage import Resources, RunOptions, open_resources
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.sampling import spec_of, suited
from prmdata.tasks import together

T = TypeVar("T")
Group = list[Trace]
PRICES = (0.01, 10.0)
"""Bits per 1,000 tokens, between which the price is looked for."""
HALVINGS = 7


@dataclass(frozen=True, slots=True)
class Fitting:
    source: str
    traces: int = 200
    """Wrong traces of the pilot."""
    rollouts_per_step: int = 4
    tokens_per_trace: int | None = None
    """The budget for which a price is looked for."""
    sampler: str | None = None
    """`None`: the embedded model, for abacus problems only."""
    engine: Mapping[str, str] = field(default_factory=dict)
    grader: str = "auto"
    rollouts: RolloutSettings = RolloutSettings()


async def run_fit(asked: Fitting, options: RunOptions, tell: Callable[[str], None]) -> World:
    groups = list(_pilot(asked))
    if not groups:
        raise InputError(
            f"{asked.source}: holds no trace with a wrong answer; there is nothing to fit"
        )
    async with open_resources(
        spec_of(asked.sampler), asked.engine, asked.grader, options
    ) as resources:
        pilots = await _each(groups, options, lambda group: _seen(group, asked, resources))
        tell(
            f"fit: {len(pilots):,} traces of {len(groups):,} problems, "
            f"{resources.spending.tokens:,} tokens"
        )
        world = await asyncio.to_thread(fit, pilots, tell)
        if asked.tokens_per_trace is None:
            return world
        return await _priced(world, groups, asked, options, resources, tell)


def write_world(world: World, path: str) -> None:
    with writing(path):
        part = Path(f"{path}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(world)) + b"\n")
        part.replace(path)


def _pilot(asked: Fitting) -> Iterator[Group]:
    """The first problems that hold as many wrong traces as were asked for."""
    count = 0
    for group in suited(read_groups(read_traces(asked.source)), asked.sampler):
        if isinstance(group, Unreadable) or count >= asked.traces:
            continue
        wrong = len(_wrong(group))
        if wrong:
            count += wrong
            yield [trace for trace in group if trace.error is None]


def _wrong(group: Sequence[Trace]) -> list[Trace]:
    return [t for t in group if t.error is None and t.correct is False and t.steps]


async def _each(
    groups: Sequence[Group], options: RunOptions, work: Callable[[Group], Awaitable[list[T]]]
) -> list[T]:
    """The work on every problem, as many at a time as the run allows."""
    room = asyncio.Semaphore(options.concurrency)

    async def in_turn(group: Group) -> list[T]:
        async with room:
            return await work(group)

    return list(itertools.chain(*await together(*(in_turn(group) for group in groups))))


async def _seen(group: Group, asked: Fitting, resources: Resources) -> list[Pilot]:
    """Rollouts from every prefix of the problem's wrong traces."""
    rollouts = Rollouts(resources.sampler, resources.grader, asked.rollouts)

    async def sampled_pilot(trace: Trace) -> Pilot | None:
        free = already_paid(trace, group)
        prefixes = range(1, len(trace.steps))
        try:
            sampled = await together(
                *(rollouts.sample(trace, t, asked.rollouts_per_step) for t in prefixes)
            )
        except (ItemError, GraderError):
            return None
        new = [
            seen_of(trace, t, outcome.text, outcome.answer, hit=outcome.hit)
            for t, outcomes in zip(prefixes, sampled, strict=True)
            for outcome in outcomes
        ]
        return Pilot(known_of(trace, free), (*free, *new))

    return [
        pilot for pilot in await together(*map(sampled_pilot, _wrong(group))) if pilot is not None
    ]


async def _priced(
    world: World,
    groups: Sequence[Group],
    asked: Fitting,
    options: RunOptions,
    resources: Resources,
    tell: Callable[[str], None],
) -> World:
    """The world with the price at which the pilot's searches take the tokens asked for."""
    assert asked.tokens_per_trace is not None
    low, high = map(math.log, PRICES)
    spent = 0.0
    for _ in range(HALVINGS):
        price = math.exp((low + high) / 2)
        priced = replace(world, bits_per_1000_tokens=price)
        work = functools.partial(_searched, priced, asked, resources)
        made = await _each(groups, options, work)
        spent = sum(made) / max(len(made), 1)
        tell(f"fit: {price:.3g} bits per 1,000 tokens: {spent:,.0f} tokens a trace")
        if spent > asked.tokens_per_trace:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    return replace(world, bits_per_1000_tokens=float(f"{math.exp(high):.4g}"))


async def _searched(world: World, asked: Fitting, resources: Resources, group: Group) -> list[int]:
    """The tokens that each wrong trace's search took."""
    rollouts = Rollouts(resources.sampler, resources.grader, asked.rollouts)
    made = await Posterior().label(group, rollouts, world)
    return [t.labels.cost.tokens for t in made if t.labels and t.labels.examined]
